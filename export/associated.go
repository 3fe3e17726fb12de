package export

import (
	"slices"
	"strconv"

	"tarn/fhir/r4"
	"tarn/store"
)

// provenance chooses the Provenance resources of what is exported, as asked by includeAssociatedData: every one whose
// target is exported, whenever it was changed, or the newest of each target.
func (c *chooser) provenance(next store.Ordinal, alive ordinals, found *choice) error {
	links, err := c.provenanceLinks(alive)
	if err != nil {
		return err
	}
	related := newOrdinals(next)
	newest := map[string]store.Version{}
	for _, l := range links {
		if !c.chosen[l.typ].has(l.at) {
			continue
		}
		to := l.typ.String() + "/" + strconv.FormatUint(uint64(l.at), 10)
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
	}
	if c.patients != nil && c.sel.Deleted {
		return c.deletedProvenance(found)
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
