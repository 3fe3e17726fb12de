package rest

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"

	"tarn/fhir"
	"tarn/interaction"
)

// entriesAtOnce is how many entries of one Bundle are carried out side by side: the store commits what comes at the same
// time together.
const entriesAtOnce = 16

// batch carries out the entries of a batch, each on its own (FHIR R4 section 3.1.0.11.1): what one does or fails to do
// changes nothing for another, except that those which name the same resource are carried out in the order of a
// transaction, and within it in that of the Bundle.
func (f *Face) batch(r *request, b *interaction.Bundle) error {
	if _, err := r.writeOptions(); err != nil {
		return err
	}
	key, err := r.idempotencyKey()
	if err != nil {
		return err
	}
	calls, answers := f.entryCallsOf(r, b.Entries), make([]fhir.BundleEntry, len(b.Entries))
	var tolerated atomic.Bool
	for i, c := range calls {
		if key != "" && b.Entries[i].Method == http.MethodPost {
			c.Header.Set(idempotencyKey, entryKey(key, i))
		}
	}
	for i, c := range calls {
		if b.Entries[i].Refused != nil {
			answers[i] = c.run(f, nil)
		}
	}
	for _, methods := range [][]string{{http.MethodDelete}, {http.MethodPost}, {http.MethodPut, http.MethodPatch}, {http.MethodGet, http.MethodHead}} {
		lanes := lanesOf(b, methods)
		each(len(lanes), func(lane int) {
			for _, i := range lanes[lane] {
				answers[i] = calls[i].run(f, func(err error) error { return b.Failed(i, err) })
				if calls[i].answer.header.Get(validationIssues) != "" {
					tolerated.Store(true)
				}
			}
		})
	}
	if tolerated.Load() {
		r.w.Header().Set(validationIssues, "true")
	}
	return r.bundleOf(http.StatusOK, "batch-response", answers)
}

// entryKey is the idempotency key of an entry of a batch that has one: each create is done once.
func entryKey(key string, i int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "tarn batch entry 1\x00%s\x00%d", key, i))
	return fmt.Sprintf("%x-%x-%x-%x-%x", sum[:4], sum[4:6], sum[6:8], sum[8:10], sum[10:16])
}

// lanesOf are the entries of some methods, those with the same URL in one lane in their order.
func lanesOf(b *interaction.Bundle, methods []string) (lanes [][]int) {
	of := map[string]int{}
	for i := range b.Entries {
		e := &b.Entries[i]
		if e.Refused != nil {
			continue
		}
		for _, m := range methods {
			if e.Method != m {
				continue
			}
			at, ok := of[e.URL()]
			if !ok || m == http.MethodPost || m == http.MethodGet {
				at = len(lanes)
				of[e.URL()] = at
				lanes = append(lanes, nil)
			}
			lanes[at] = append(lanes[at], i)
		}
	}
	return lanes
}

// each calls do for 0 to n-1, several at once. A panic goes on in the caller.
func each(n int, do func(int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	var broken atomic.Value
	for range min(n, entriesAtOnce) {
		wg.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					broken.CompareAndSwap(nil, fmt.Errorf("panic in an entry: %v", p))
				}
			}()
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		})
	}
	wg.Wait()
	if p := broken.Load(); p != nil {
		panic(p)
	}
}
