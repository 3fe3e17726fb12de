package export

import (
	"slices"

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
	links = slices.DeleteFunc(links, func(l link) bool { return !c.chosen[l.typ].has(l.at) })
	for _, l := range links {
		related.add(l.from)
	}
	switch c.sel.Associated {
	case RelevantProvenance:
		related.keep(alive)
		copy(found.live, related)
	case LatestProvenance:
		clear(found.live)
		if err := c.latest(links, found.live); err != nil {
			return err
		}
	}
	if c.patients != nil && c.sel.Deleted {
		return c.deletedProvenance(found)
	}
	return nil
}

// latest finds the newest Provenance of each target.
func (c *chooser) latest(links []link, found ordinals) error {
	type target struct {
		typ r4.Code
		at  store.Ordinal
	}
	type provenance struct {
		tx store.TxID
		at store.Ordinal
	}
	newest := map[target]provenance{}
	for chunk := range slices.Chunk(links, 1000) {
		from := make([]store.Ordinal, len(chunk))
		for i, l := range chunk {
			from[i] = l.from
		}
		headers, err := c.v.Headers(c.ctx, provenanceCode, from)
		if err = closing(err, c.ctx.Err()); err != nil {
			return err
		}
		for i, l := range chunk {
			to, now := target{l.typ, l.at}, provenance{headers[i].Tx, l.from}
			if last, ok := newest[to]; !ok || now.tx > last.tx || now.tx == last.tx && now.at > last.at {
				newest[to] = now
			}
		}
	}
	for _, p := range newest {
		found.add(p.at)
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
