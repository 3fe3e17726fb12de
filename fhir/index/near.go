package index

import (
	"math"
	"strconv"

	"tarn/fhir"
)

var specialEncoders = map[string]encoder{"Location.position": encodePosition}

const (
	positionLen  = 10
	degree       = 1e7   // of the whole numbers that stand for an angle
	angleOffset  = 360e7 // makes them positive
	earthRadius  = 6371.0088
	degreeLength = math.Pi * earthRadius / 180 // of latitude, in km
)

// encodePosition: 70 latitude longitude, five bytes each, none of them 0, that sort as angles do.
func encodePosition(x *Extractor, n fhir.Node) {
	latitude, ok := angle(n.Member("latitude"), 90)
	longitude, ok2 := angle(n.Member("longitude"), 180)
	if ok && ok2 {
		x.buf = appendAngle(appendAngle(append(x.buf, formPosition), latitude), longitude)
		x.emit()
	}
}

func angle(n fhir.Node, most float64) (float64, bool) {
	if n.Kind() != fhir.Number {
		return 0, false
	}
	f, err := strconv.ParseFloat(string(n.Text()), 64)
	return f, err == nil && math.Abs(f) <= most
}

func appendAngle(dst []byte, degrees float64) []byte {
	n := int64(math.Round(degrees*degree) + angleOffset)
	var b [5]byte
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = byte(n%timeBase) + 1
		n /= timeBase
	}
	return append(dst, b[:]...)
}

func readAngle(b []byte) float64 {
	n := int64(0)
	for _, c := range b[:5] {
		n = n*timeBase + int64(c) - 1
	}
	return (float64(n) - angleOffset) / degree
}

// distance is the length of the great circle between two points in km.
func distance(latitude1, longitude1, latitude2, longitude2 float64) float64 {
	const radian = math.Pi / 180
	sinLat := math.Sin((latitude2 - latitude1) * radian / 2)
	sinLong := math.Sin((longitude2 - longitude1) * radian / 2)
	h := sinLat*sinLat + math.Cos(latitude1*radian)*math.Cos(latitude2*radian)*sinLong*sinLong
	return 2 * earthRadius * math.Asin(math.Min(1, math.Sqrt(h)))
}

// nearby is how far a search without a distance looks, in km.
const nearby = 50

// around compiles latitude|longitude|distance|unit (http://hl7.org/fhir/R4/location.html#search).
func (s *subject) around(parts []string) ([]piece, error) {
	if len(parts) < 2 || len(parts) > 4 {
		return nil, s.refuse(fhir.CodeValue, "needs latitude|longitude|distance|unit")
	}
	latitude, err := strconv.ParseFloat(parts[0], 64)
	longitude, err2 := strconv.ParseFloat(parts[1], 64)
	if err != nil || err2 != nil || !(math.Abs(latitude) <= 90) || !(math.Abs(longitude) <= 180) {
		return nil, s.refuse(fhir.CodeValue, "needs a latitude from -90 to 90 and a longitude from -180 to 180")
	}
	far := float64(nearby)
	if len(parts) > 2 && parts[2] != "" {
		if far, err = strconv.ParseFloat(parts[2], 64); err != nil || !(far >= 0) || math.IsInf(far, 0) {
			return nil, s.refuse(fhir.CodeValue, "needs a distance that is not negative")
		}
	}
	if len(parts) > 3 && parts[3] != "" {
		unit := unitOf(parts[3])
		if unit == nil || unit.dimension != "length" {
			return nil, s.refuse(fhir.CodeValue, "has the unit %s; it needs one of length, such as km, m or [mi_i]", quote(parts[3]))
		}
		metres, _ := unit.factor.Float64()
		far *= metres / 1000
	}
	height := far/degreeLength + 1/degree
	from := appendAngle([]byte{formPosition}, math.Max(-90, latitude-height))
	to := appendAngle([]byte{formPosition}, math.Min(90, latitude+height)+2/degree)
	return []piece{{from, to, func(v []byte, _ bool) Verdict {
		return yes(len(v) == 1+positionLen && distance(latitude, longitude, readAngle(v[1:]), readAngle(v[6:])) <= far)
	}}}, nil
}
