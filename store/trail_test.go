package store_test

import (
	"context"
	"slices"

	"tarn/fhir/r4"
	"tarn/store"
)

// differTrail walks over the changes of all types, and of two, in pages, and looks at the versions that they made.
func differTrail(ctx context.Context, m *model, v *store.View) error {
	for _, of := range [][]r4.Code{nil, {types[2], types[0]}} {
		after := v.Tx() / 4
		var want []store.Step
		var made []store.Version
		var standing []bool
		as := v.Tx() / 2
		for _, typ := range types {
			if of != nil && !slices.Contains(of, typ) {
				continue
			}
			for _, c := range m.changes[typ] {
				if c.Tx > after && c.Tx <= v.Tx() {
					want = append(want, store.Step{Type: typ, ChangeRow: c})
				}
			}
		}
		slices.SortFunc(want, func(a, b store.Step) int {
			x, y := a.Mark(), b.Mark()
			switch {
			case x.Tx != y.Tx:
				return int(y.Tx) - int(x.Tx)
			case x.Type != y.Type:
				return int(y.Type) - int(x.Type)
			}
			return int(y.Ordinal) - int(x.Ordinal)
		})
		for _, s := range want {
			r := m.byType[s.Type][s.Ordinal]
			if r.veil > s.Tx {
				made = append(made, store.Version{Type: s.Type, Ordinal: s.Ordinal, Tx: s.Tx})
				standing = append(standing, false)
				continue
			}
			made = append(made, r.asOf(s.Tx).Version)
			then := r.asOf(as)
			standing = append(standing, then != nil && then.Tx == s.Tx && !then.Deleted)
		}
		for _, count := range []int{1, 3, 1000} {
			var got []store.Step
			var before store.Mark
			for {
				n := 0
				for s, err := range v.Trail(ctx, of, after, before) {
					if err != nil {
						return err
					}
					if n++; n > count {
						break
					}
					got, before = append(got, s), s.Mark()
				}
				if n <= count {
					break
				}
			}
			if err := same("trail", got, want, nil); err != nil {
				return err
			}
		}
		var read []store.Version
		for version, err := range v.Versions(ctx, want) {
			if err != nil {
				return err
			}
			read = append(read, version)
		}
		if err := same("versions of a trail", read, made, nil); err != nil {
			return err
		}
		got, err := v.Standing(ctx, want, as)
		if err := same("standing", got, standing, err); err != nil {
			return err
		}
	}
	return nil
}
