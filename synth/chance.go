package synth

// draw is a stream of chance: SplitMix64, written out here because a population's bytes may not change with a library.
type draw struct{ state uint64 }

const golden = 0x9e3779b97f4a7c15

// mix spreads the bits of x over all bits of the result, one to one.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// streamOf is the start of an independent stream for the thing n of a sort.
func streamOf(seed uint64, sort sort, n int) uint64 {
	return mix(mix(mix(seed+golden)^uint64(sort)*golden) + uint64(n)*golden)
}

// sort tells the streams of one seed apart.
type sort uint64

const (
	ofLife sort = iota + 1 // a patient's chance
	ofIDs                  // ids of a patient's resources, high half
	ofIDs2                 // and low half
	ofSite                 // a site's chance
	ofSiteIDs
	ofSiteIDs2
)

func (d *draw) next() uint64 {
	d.state += golden
	return mix(d.state)
}

// below is a whole number from 0 to n-1, n at least 1.
func (d *draw) below(n int) int {
	return int((d.next() >> 32) * uint64(n) >> 32)
}

// between is a whole number from lo to hi, both included.
func (d *draw) between(lo, hi int) int { return lo + d.below(hi-lo+1) }

// permille is true n times out of 1000.
func (d *draw) permille(n int) bool { return d.below(1000) < n }

// unit is a double in [0, 1).
func (d *draw) unit() float64 { return float64(float64(d.next()>>11) * (1.0 / (1 << 53))) }

// around is a double near mid: three draws, so within mid ± spread and mostly within a third of it.
func (d *draw) around(mid, spread float64) float64 {
	u := d.unit() + d.unit() + d.unit()
	return lerp(mid-spread, mid+spread, u/3)
}

// lerp goes from a to b as u goes from 0 to 1. The conversion forbids fusing multiplication and addition, which would
// give other digits on other processors; all arithmetic that ends in a resource goes through here or through scaled.
func lerp(a, b, u float64) float64 { return a + float64((b-a)*u) }

// scaled is a product that is never fused with a sum around it.
func scaled(a, b float64) float64 { return float64(a * b) }

// pick is one of the choices.
func pick[T any](d *draw, choices []T) *T { return &choices[d.below(len(choices))] }

// id is the 128 bits of a UUID, marked as version 4.
type id struct{ hi, lo uint64 }

func (u id) append(b []byte) []byte {
	b = appendHex(b, u.hi, 60, 32)
	b = append(b, '-')
	b = appendHex(b, u.hi, 28, 16)
	b = append(b, '-')
	b = appendHex(b, u.hi, 12, 0)
	b = append(b, '-')
	b = appendHex(b, u.lo, 60, 48)
	b = append(b, '-')
	return appendHex(b, u.lo, 44, 0)
}

func appendHex(b []byte, x uint64, from, to int) []byte {
	for s := from; s >= to; s -= 4 {
		b = append(b, hex[x>>s&15])
	}
	return b
}

// minter makes the ids of one patient or site. The halves are two streams, so that two owners' ids meet only if both do.
type minter struct{ hi, lo draw }

func (m *minter) next() id {
	return id{m.hi.next()&^0xf000 | 0x4000, m.lo.next()&^(3<<62) | 2<<62}
}
