package path_test

import (
	"fmt"
	"sort"
	"testing"

	"tarn/fhir/path"
	"tarn/fhir/r4"
)

func TestAll(t *testing.T) {
	combos := map[string]int{}
	for c := r4.Code(1); c <= r4.Count; c++ {
		for _, p := range c.Params() {
			if p.Expression == "" {
				t.Log("none", c, p.Name)
				continue
			}
			paths, err := path.Parse(p.Expression)
			if err != nil {
				t.Error(c, p.Name, err)
				continue
			}
			q := path.Query{Parts: [][]path.Path{paths}}
			types := []r4.ParamType{p.Type}
			if p.Type == r4.ParamComposite {
				q = path.Query{Base: paths}
				types = nil
				for _, comp := range p.Components {
					cp, err := path.Parse(comp.Expression)
					if err != nil {
						t.Error(c, p.Name, err)
					}
					q.Parts = append(q.Parts, cp)
					types = append(types, comp.Param.Type)
				}
			}
			w, err := path.Compile(c.Resource(), []path.Query{q})
			if err != nil {
				t.Error(c, p.Name, p.Expression, err)
				continue
			}
			for _, o := range w.Outs() {
				n := "?"
				if o.Type != nil {
					n = o.Type.Name
				}
				k := fmt.Sprint(types[o.Part], " ", n)
				combos[k]++
				if combos[k] <= 3 {
					t.Log(k, c, p.Name, p.Expression)
				}
			}
		}
	}
	var ks []string
	for k := range combos {
		ks = append(ks, k)
	}
	sort.Strings(ks)
	for _, k := range ks {
		t.Log(k, combos[k])
	}
}
