package main

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"time"
)

// transactionEntries is about how many entries a bundle has, as those of Synthea do.
const transactionEntries = 300

// transactionOf makes a transaction of a patient's resources as Synthea writes them: every entry is a POST under a
// urn:uuid, and references within the bundle go there.
func transactionOf(of []member) []byte {
	of = of[:min(len(of), transactionEntries)]
	var out bytes.Buffer
	out.WriteString(`{"resourceType":"Bundle","type":"transaction","entry":[`)
	for i, m := range of {
		if i > 0 {
			out.WriteByte(',')
		}
		text := m.text
		for _, to := range of[:1] { // most references are to the patient
			text = bytes.ReplaceAll(text, []byte(`"`+to.typ+`/`+to.id+`"`), []byte(`"urn:uuid:`+to.id+`"`))
		}
		fmt.Fprintf(&out, `{"fullUrl":"urn:uuid:%s","resource":%s,"request":{"method":"POST","url":"%s"}}`, m.id, text, m.typ)
	}
	out.WriteString(`]}`)
	return out.Bytes()
}

// transactions measures bundles of about 300 entries.
func (b *bench) transactions(ctx context.Context) error {
	c, err := b.caller()
	if err != nil {
		return err
	}
	p, err := b.people()
	if err != nil {
		return err
	}
	var bundles [][]byte
	entries, size := 0, 0
	for _, id := range p.ids {
		if n := min(len(p.resources[id]), transactionEntries); n >= transactionEntries/2 {
			bundles = append(bundles, transactionOf(p.resources[id]))
			entries += n
			size += len(bundles[len(bundles)-1])
		}
	}
	if len(bundles) == 0 {
		b.report.add("transactions", "not measured", "", "no patient of the input has enough resources")
		return nil
	}
	entries, size = entries/len(bundles), size/len(bundles)
	for _, n := range []int{1, 4} {
		all, took, err := storm(ctx, n, b.load, 0, nil, func(ctx context.Context, client, k int) error {
			return c.send(ctx, http.MethodPost, "", bundles[(client*31+k)%len(bundles)], http.StatusOK)
		})
		if err != nil {
			return err
		}
		b.report.add(fmt.Sprintf("transactions, %d at once", n), fmt.Sprintf("%.1f/s", perSecond(int64(len(all)), took)), "",
			fmt.Sprintf("%d entries, %d KB each: %.0f resources/s; p50 %s, p99 %s", entries, size/1000, perSecond(int64(len(all)*entries), took), ms(percentile(all, 50)), ms(percentile(all, 99))))
	}
	return nil
}

// everything measures Patient/$everything: first pages, and whole records page by page.
func (b *bench) everything(ctx context.Context) error {
	c, err := b.caller()
	if err != nil {
		return err
	}
	p, err := b.people()
	if err != nil {
		return err
	}
	first, _, err := storm(ctx, 1, b.searchFor(), 0, nil, func(ctx context.Context, _, k int) error {
		return c.send(ctx, http.MethodGet, "Patient/"+pick(p.ids, k)+"/$everything?_count=100", nil, http.StatusOK)
	})
	if err != nil {
		return err
	}
	var bytesRead int64
	pages, records := 0, 0
	begin := time.Now()
	for k := 0; time.Since(begin) < b.searchFor(); k++ {
		for at := "Patient/" + pick(p.ids, k) + "/$everything?_count=100"; at != ""; pages++ {
			var body bytes.Buffer
			n, err := c.fetch(ctx, http.MethodGet, at, nil, http.StatusOK, &body)
			if err != nil {
				return err
			}
			bytesRead += n
			if at, err = nextLink(body.Bytes()); err != nil {
				return err
			}
		}
		records++
	}
	took := time.Since(begin)
	b.report.add("Patient/$everything, p50 / p99", ms(percentile(first, 50))+" / "+ms(percentile(first, 99)), "",
		fmt.Sprintf("first page of 100, one client; whole records: %.0f/s of %d KB and %.1f pages on average", perSecond(int64(records), took), bytesRead/int64(records)/1000, float64(pages)/float64(records)))
	return nil
}
