package index

import (
	_ "embed"
	"math/big"
	"strings"
	"sync"
)

// table are the units of UCUM that are converted into each other. All others match by their code alone.
//
//go:embed units.txt
var table string

// measure is a unit of the table: base = number times factor plus offset.
type measure struct {
	code           string
	dimension      string
	factor, offset *big.Rat
}

type measures struct {
	byCode map[string]*measure
	alike  map[string][]*measure
}

var loadMeasures = sync.OnceValue(func() *measures {
	m := &measures{map[string]*measure{}, map[string][]*measure{}}
	for line := range strings.Lines(table) {
		dimension, units, ok := strings.Cut(strings.TrimSpace(line), ": ")
		if !ok || line[0] == '#' {
			continue
		}
		for entry := range strings.SplitSeq(units, ", ") {
			f := append(strings.Fields(entry), "0")
			u := &measure{f[0], dimension, rat(f[1]), rat(f[2])}
			m.byCode[u.code] = u
			m.alike[dimension] = append(m.alike[dimension], u)
		}
	}
	return m
})

func rat(text string) *big.Rat {
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		panic("units.txt: " + text + " is no number")
	}
	return r
}

// unitOf is the unit of this code; nil if the table does not have it.
func unitOf(code string) *measure { return loadMeasures().byCode[code] }

// alike are the units of the same dimension but for u itself.
func (u *measure) alike() (others []*measure) {
	for _, o := range loadMeasures().alike[u.dimension] {
		if o != u {
			others = append(others, o)
		}
	}
	return others
}

// base is a number of the unit in the base of its dimension.
func (u *measure) base(number *big.Rat) *big.Rat {
	r := new(big.Rat).Mul(number, u.factor)
	return r.Add(r, u.offset)
}

// from is the opposite of base.
func (u *measure) from(base *big.Rat) *big.Rat {
	r := new(big.Rat).Sub(base, u.offset)
	return r.Quo(r, u.factor)
}
