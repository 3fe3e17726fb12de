package export

import (
	"slices"
	"strings"

	"tarn/fault"
	"tarn/fhir/index"
	"tarn/fhir/r4"
	"tarn/store"
)

// provenance chooses the Provenance resources of what is exported: of the patients' compartments, or, as asked by
// includeAssociatedData, every one whose target is exported, whenever it was changed, or the newest of each target.
func (c *chooser) provenance(next store.Ordinal, alive ordinals, found *choice) error {
	target := provenanceCode.Param("target")
	if target == nil {
		return fault.Errorf(fault.Internal, "export", "Provenance has no parameter target")
	}
	type link struct {
		from store.Ordinal
		to   index.Target
	}
	var links []link
	byType := map[r4.Code][]string{}
	if err := c.references(provenanceCode, []*r4.SearchParam{target}, alive, func(o store.Ordinal, t index.Target) {
		if t.Type.Valid() && t.ID != "" {
			links = append(links, link{o, index.Target{Type: t.Type, ID: strings.Clone(t.ID)}})
			byType[t.Type] = append(byType[t.Type], strings.Clone(t.ID))
		}
	}); err != nil {
		return err
	}
	exported := map[string]bool{}
	for _, code := range codesOf(byType) {
		ids := byType[code]
		slices.Sort(ids)
		for chunk := range slices.Chunk(slices.Compact(ids), 1000) {
			ordinals, err := c.v.Ordinals(c.ctx, code, chunk)
			if err != nil {
				return err
			}
			for i, o := range ordinals {
				if o != store.Nowhere && c.chosen[code].has(o) {
					exported[code.String()+"/"+chunk[i]] = true
				}
			}
		}
	}
	related := newOrdinals(next)
	newest := map[string]store.Version{}
	for _, l := range links {
		to := l.to.Type.String() + "/" + l.to.ID
		if !exported[to] {
			continue
		}
		related.add(l.from)
		if c.sel.Associated != LatestProvenance {
			continue
		}
		h, err := c.v.Headers(c.ctx, provenanceCode, []store.Ordinal{l.from})
		if err != nil {
			return err
		}
		if last, ok := newest[to]; !ok || h[0].Tx > last.Tx || h[0].Tx == last.Tx && h[0].Ordinal > last.Ordinal {
			newest[to] = h[0]
		}
	}
	switch c.sel.Associated {
	case RelevantProvenance:
		related.keep(alive)
		copy(found.live, related)
	case LatestProvenance:
		clear(found.live)
		for _, v := range newest {
			found.live.add(v.Ordinal)
		}
	default:
		found.live.keep(related)
	}
	return nil
}

func codesOf[T any](m map[r4.Code]T) []r4.Code {
	codes := make([]r4.Code, 0, len(m))
	for code := range m {
		codes = append(codes, code)
	}
	slices.Sort(codes)
	return codes
}
