package interaction

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"

	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/r4"
	"tarn/fhir/rewrite"
	"tarn/store"
)

// prepare makes the writes: links rewritten, patched, validated and indexed, by as many workers as there are processors.
// All entries are looked at, so that the error tells what is wrong with any of them.
func (a *attempt) prepare() error {
	if err := a.versions(); err != nil {
		return err
	}
	errs := make([]error, len(a.aims))
	each(len(a.aims), func(i int) {
		if a.aims[i].write && a.r.Bundle.Entries[i].action != deletes {
			errs[i] = a.prepareEntry(i)
		}
	})
	var all []fhir.Issue
	var first error
	for i, err := range errs {
		if err == nil {
			continue
		}
		err = a.failed(i, err)
		if first == nil {
			first = err
		}
		var told *fhir.OutcomeError
		if !errors.As(err, &told) {
			return err // not the caller's fault
		}
		all = append(all, told.Issues...)
	}
	if first == nil {
		return nil
	}
	return fhir.NewOutcomeError(fault.KindOf(first), "interaction.Transact", all[:min(len(all), maxIssues)]...)
}

// prepareEntry makes the write of one entry.
func (a *attempt) prepareEntry(i int) error {
	e, to := &a.r.Bundle.Entries[i], &a.aims[i]
	edits := a.edits(i)
	body := e.Resource()
	if len(edits) > 0 {
		body = rewrite.Splice(make([]byte, 0, len(body)+64*len(edits)), a.r.Bundle.doc.Bytes(), e.resource.Offset(), e.resource.End(), edits)
	}
	var ready store.Write
	var err error
	if e.action == patches {
		ready, to.tolerated, err = a.patch(i, body)
	} else {
		ready, to.tolerated, err = a.s.prepare(a.ctx, a.r.Datastore, body, e.typ, a.r.Options)
		err = a.relocated(err, i, edits)
	}
	if err != nil {
		return err
	}
	if e.action == updates && e.id != "" && ready.Resource.ID() != e.id {
		return fhir.NewOutcomeError(fault.Invalid, "interaction.Transact", a.r.Bundle.issueAt(e.resource, fhir.CodeInvalid,
			"The resource must have the id of the url."))
	}
	to.w.Resource, to.w.Entries, to.w.Epoch = ready.Resource, ready.Entries, ready.Epoch
	return nil
}

// versions finds the present versions of what is updated, where a link asks for the version that will stand.
func (a *attempt) versions() error {
	asked := false
	for _, links := range a.links.links {
		for _, l := range links {
			asked = asked || strings.Contains(l.Text, "/_history/")
		}
	}
	if !asked {
		return nil
	}
	for i := range a.aims {
		to := &a.aims[i]
		if !to.write || to.w.Op != store.Put {
			continue
		}
		typ, id := to.w.Type, to.id
		read := func(ctx context.Context, v *store.View) (uint64, error) {
			version, err := v.Read(ctx, typ, id)
			if err != nil && !fault.Is(err, fault.NotFound) && !fault.Is(err, fault.Gone) {
				return 0, err
			}
			return version.Number, nil
		}
		number, err := read(a.ctx, a.v)
		if err != nil {
			return err
		}
		to.number = number
		a.guards = append(a.guards, store.Guard{Types: []r4.Code{typ}, AsOf: a.v.Tx(), Check: func(ctx context.Context, v *store.View) error {
			if now, err := read(ctx, v); err != nil || now != number {
				return errors.Join(err, ErrMoved)
			}
			return nil
		}})
	}
	return nil
}

// each calls do for 0 to n-1 from as many goroutines as there are processors. A panic goes on in the caller.
func each(n int, do func(int)) {
	workers := min(runtime.GOMAXPROCS(0), n)
	if workers <= 1 {
		for i := range n {
			do(i)
		}
		return
	}
	var next atomic.Int64
	var wg sync.WaitGroup
	var broken atomic.Value
	for range workers {
		wg.Go(func() {
			defer func() {
				if p := recover(); p != nil {
					broken.CompareAndSwap(nil, fmt.Errorf("panic: %v", p))
				}
			}()
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				do(i)
			}
		})
	}
	wg.Wait()
	if p := broken.Load(); p != nil {
		panic(p)
	}
}

// patch makes the write of a patch of the version that stands, on condition that it stands still when it is committed.
func (a *attempt) patch(i int, body []byte) (store.Write, []fhir.Issue, error) {
	cond, to := a.entries[i].cond, &a.aims[i]
	p, err := a.s.ReadPatch(EntryPatch, body)
	if err != nil {
		return store.Write{}, nil, err
	}
	current, err := a.v.Read(a.ctx, to.w.Type, to.id)
	if err != nil {
		return store.Write{}, nil, err
	}
	if cond.IfMatch != 0 && cond.IfMatch != current.Number {
		return store.Write{}, nil, fault.Errorf(fault.Precondition, "interaction.Transact", "%s/%s has version %d, not %d.", current.Type, current.ID, current.Number, cond.IfMatch)
	}
	ready, tolerated, err := a.s.Patched(a.ctx, a.r.Datastore, current, p, a.r.Options)
	to.w.IfMatch, to.own = current.Number, cond.IfMatch == 0
	return ready, tolerated, err
}
