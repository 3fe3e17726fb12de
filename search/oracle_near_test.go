package search_test

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
)

// place is a point on the earth.
type place struct{ latitude, longitude float64 }

func placeOf(x thing) (p place, ok bool) {
	if x.of.Name != "Location.position" {
		return p, false
	}
	m := object(x.v)
	latitude, ok := m["latitude"].(json.Number)
	longitude, ok2 := m["longitude"].(json.Number)
	return place{ratFloat(latitude.String()), ratFloat(longitude.String())}, ok && ok2
}

// vector is the place seen from the middle of the earth.
func (p place) vector() [3]float64 {
	sinLat, cosLat := math.Sincos(p.latitude * math.Pi / 180)
	sinLong, cosLong := math.Sincos(p.longitude * math.Pi / 180)
	return [3]float64{cosLat * cosLong, cosLat * sinLong, sinLat}
}

// kilometres is the way from a place to another one along the great circle, on a ball of the earth's mean radius.
func (p place) kilometres(to place) float64 {
	a, b := p.vector(), to.vector()
	cross := math.Hypot(math.Hypot(a[1]*b[2]-a[2]*b[1], a[2]*b[0]-a[0]*b[2]), a[0]*b[1]-a[1]*b[0])
	return 6371.0088 * math.Atan2(cross, a[0]*b[0]+a[1]*b[1]+a[2]*b[2])
}

// near makes a condition on the distance from some point beside a place.
func (g *generator) near(some anyOf, x thing) (cond, bool) {
	p, ok := placeOf(x)
	if !ok {
		return cond{}, false
	}
	km := math.Pow(10, g.rng.Float64()*4-0.5) // from 300 m to 3,000 km
	value, kind := "", "special near distance|unit"
	switch units := map[string]float64{"km": 1, "m": 1e-3, "[mi_i]": 1.609344, "cm": 1e-5}; {
	case g.flip(15):
		km, kind = 50, "special near" // where no distance is said
	case g.flip(20):
		value, kind = "|"+strconv.FormatFloat(km, 'f', 3, 64), "special near distance"
		km = ratFloat(value[1:])
	default:
		unit := pick(g, []string{"km", "m", "[mi_i]", "cm"})
		text := strconv.FormatFloat(km/units[unit], 'f', 3, 64)
		value, km = "|"+text+"|"+unit, ratFloat(text)*units[unit]
	}
	away := g.rng.Float64() * 1.5 * km / 111
	angle := g.rng.Float64() * 2 * math.Pi
	latitude := strconv.FormatFloat(min(max(p.latitude+away*math.Sin(angle), -90), 90), 'f', 5, 64)
	turned := p.longitude + away*math.Cos(angle)/max(math.Cos(p.latitude*math.Pi/180), 0.01)
	longitude := strconv.FormatFloat(math.Remainder(turned, 360), 'f', 5, 64)
	from := place{ratFloat(latitude), ratFloat(longitude)}
	if slices.ContainsFunc(g.o.byType[mustCode("Location")], func(d *odoc) bool { // too near to the edge to tell
		return slices.ContainsFunc(d.things(mustCode("Location").Param("near")), func(x thing) bool {
			p, ok := placeOf(x)
			return ok && math.Abs(p.kilometres(from)-km) < 1e-4
		})
	}) {
		return cond{}, false
	}
	return some([]string{kind}, latitude+"|"+longitude+value, func(x thing) bool {
		p, ok := placeOf(x)
		return ok && p.kilometres(from) <= km
	})
}
