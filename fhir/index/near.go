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
