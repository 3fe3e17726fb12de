package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"tarn/fhir/r4"
	"tarn/store"
)

// differLookup asks for many resources of a type at once.
func differLookup(ctx context.Context, m *model, v *store.View, typ r4.Code) error {
	for _, r := range m.byType[typ] {
		if r.missing(v.Tx()) {
			if _, err := v.ReadOrdinals(ctx, typ, []store.Ordinal{r.born.Ordinal}); !errors.Is(err, store.ErrRemoved) {
				return fmt.Errorf("reading what was removed: %v", err)
			}
			return nil
		}
	}
	ids, ordinals := []string{"never", "", strings.Repeat("x", 65)}, []store.Ordinal{store.Nowhere, store.Nowhere, store.Nowhere}
	var named []store.Named
	var read []store.Ordinal
	var versions []store.Version
	live := 0
	for i, r := range m.byType[typ] {
		o, id := store.Ordinal(i), r.born.ID
		ids, read = append(ids, id), append(read, o)
		var version store.Version
		if ver := r.asOf(v.Tx()); ver != nil {
			ordinals, named, version = append(ordinals, o), append(named, store.Named{ID: id, Ordinal: o}), ver.Version
			if !ver.Deleted {
				live++
			}
		} else {
			ordinals = append(ordinals, store.Nowhere)
		}
		versions = append(versions, version)
	}
	read, versions = append(read, store.Ordinal(len(m.byType[typ])+1)), append(versions, store.Version{})
	got, err := v.Ordinals(ctx, typ, ids)
	if err := same("Ordinals", got, ordinals, err); err != nil {
		return err
	}
	count, err := v.Count(ctx, typ)
	if err := same("Count", count, live, err); err != nil {
		return err
	}
	gotVersions, err := v.ReadOrdinals(ctx, typ, read)
	if err := same("ReadOrdinals", gotVersions, versions, err); err != nil {
		return err
	}
	headers, err := v.Headers(ctx, typ, read)
	for i := range headers {
		headers[i].Body = versions[i].Body // may be there or not
	}
	if err := same("Headers", headers, versions, err); err != nil {
		return err
	}
	next, err := v.Next(ctx, typ)
	if err := same("Next", next, m.census(typ, v.Tx()).Next, err); err != nil {
		return err
	}
	slices.SortFunc(named, func(a, b store.Named) int { return strings.Compare(a.ID, b.ID) })
	back := slices.Clone(named)
	slices.Reverse(back)
	half := len(named) / 2
	return errors.Join(
		differIDs(ctx, v, typ, "", false, named), differIDs(ctx, v, typ, "", true, back),
		differIDs(ctx, v, typ, "zzzz", true, back), differIDs(ctx, v, typ, "-", false, named),
		when(half > 0, func() error { return differIDs(ctx, v, typ, named[half-1].ID, false, named[half:]) }),
		when(half > 0, func() error { return differIDs(ctx, v, typ, back[half-1].ID, true, back[half:]) }))
}

func when(ok bool, do func() error) error {
	if ok {
		return do()
	}
	return nil
}

func differIDs(ctx context.Context, v *store.View, typ r4.Code, after string, back bool, want []store.Named) error {
	var got []store.Named
	for n, err := range v.IDs(ctx, typ, after, back) {
		if err != nil {
			return err
		}
		got = append(got, n)
	}
	return same("IDs", got, slices.Clip(want), nil)
}
