package interaction_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"tarn/fault"
	"tarn/interaction"
	"tarn/job"
	"tarn/store"
)

// broken is a work that cannot be done for now, as often as it is tried.
type broken struct{ job.Work }

func (broken) Run(context.Context, *job.Run) error {
	return fault.Errorf(fault.Unavailable, "test", "There is no room.")
}

// tidy is broken, and left in order when it is given up.
type tidy struct{ broken }

func (b tidy) Failed(ctx context.Context, run *job.Run, reason error) error {
	return b.Work.(job.Failer).Failed(ctx, run, reason)
}

const onePatient = `{"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType":"Patient","id":"p"},"request":{"method":"PUT","url":"Patient/p"}}]}`

// run does jobs until none is left.
func (o *office) run(work job.Work) {
	o.t.Helper()
	runner := job.NewRunner(o.ledger, job.RunnerOptions{Attempts: 1, Kinds: map[job.Kind]job.Work{interaction.TransactionKind: work}})
	ctx, stop := context.WithCancel(o.t.Context())
	done := make(chan error, 1)
	go func() { done <- runner.Run(ctx) }()
	for {
		changed := o.ledger.Changed()
		active, err := o.ledger.Active(ctx, "")
		must(o.t, err)
		if len(active) == 0 {
			break
		}
		<-changed
	}
	stop()
	must(o.t, <-done)
}

func (o *office) riders(prefix string) (n int) {
	o.t.Helper()
	for _, err := range o.store.Riders(o.t.Context(), []byte(prefix)) {
		must(o.t, err)
		n++
	}
	return n
}

// A transaction that the server could not carry out has failed for its caller too, and nothing of it is kept.
func TestBackground_givesUpWhatCannotBeDone(t *testing.T) {
	t.Parallel()
	for name, work := range map[string]func(job.Work) job.Work{
		"and writes that down":              func(w job.Work) job.Work { return tidy{broken{w}} },
		"and could not write that down yet": func(w job.Work) job.Work { return broken{w} },
	} {
		o := newOffice(t)
		id := o.submit(onePatient)
		o.run(work(o.Work()))
		for range 2 {
			if p, err := o.Status(t.Context(), place, id); !fault.Is(err, fault.Internal) || p.Record != nil {
				t.Errorf("%s: %+v %v", name, p, err)
			}
			if n := o.riders("bundle/body/"); n != 0 {
				t.Errorf("%s: %d pieces of the Bundle are left", name, n)
			}
		}
		must(t, o.ExpireForTest(t.Context(), place, time.Now().Add(91*24*time.Hour)))
		if n := o.riders("bundle/"); n != 0 {
			t.Errorf("%s: %d rows are left", name, n)
		}
	}
}

// What could not be put in order when a job had failed is put in order later, and what waits is left alone.
func TestBackground_tidiesWhatNobodyWillCarryOut(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	failed := o.submit(onePatient)
	o.run(broken{o.Work()})
	waiting := o.submit(onePatient)
	for key, expires := range map[string]int64{ // of submits that did not come to their end: one just now, one two hours ago
		"11111111111111111111111111111111": time.Now().Add(interaction.RecordLife).UnixMilli(),
		"22222222222222222222222222222222": time.Now().Add(interaction.RecordLife - 2*time.Hour).UnixMilli(),
	} {
		_, err := o.store.Commit(t.Context(), store.Transaction{Riders: []store.Rider{{Key: []byte("bundle/body/" + key + "/00"), Value: []byte("x")},
			{Key: []byte("bundle/async/" + key), Value: fmt.Appendf(nil, `{"v":1,"pieces":1,"expires":%d}`, expires)}}})
		must(t, err)
	}
	must(t, o.Tidy(t.Context(), place))
	for key, want := range map[string]int{failed: 0, waiting: 1, "11111111111111111111111111111111": 1, "22222222222222222222222222222222": 0} {
		if got := o.riders("bundle/body/" + key); got != want {
			t.Errorf("%s: %d pieces, want %d", key, got, want)
		}
	}
	if _, err := o.Status(t.Context(), place, failed); !fault.Is(err, fault.Internal) {
		t.Error(err)
	}
	o.run(o.Work())
	if p, err := o.Status(t.Context(), place, waiting); err != nil || p.Record == nil {
		t.Errorf("%+v %v", p, err)
	}
}

// A transaction of which the row cannot be read keeps no other one from being put in order.
func TestBackground_tidiesBehindWhatCannotBeRead(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	const unread, orphan = "11111111111111111111111111111111", "22222222222222222222222222222222"
	for id, row := range map[string]string{unread: `{"v":2}`, orphan: `{"v":1,"pieces":1,"expires":1}`} {
		_, err := o.store.Commit(t.Context(), store.Transaction{Riders: []store.Rider{
			{Key: []byte("bundle/body/" + id + "/00"), Value: []byte("x")}, {Key: []byte("bundle/async/" + id), Value: []byte(row)}}})
		must(t, err)
	}
	if err := o.Tidy(t.Context(), place); err == nil || !strings.Contains(err.Error(), unread) {
		t.Errorf("%v does not name the one that cannot be read", err)
	}
	if kept, left := o.riders("bundle/body/"+unread), o.riders("bundle/body/"+orphan); kept != 1 || left != 0 {
		t.Errorf("%d pieces of the one that cannot be read, and %d of the other", kept, left)
	}
}

// A clock that is far ahead makes nothing expire that still waits.
func TestBackground_keepsWhatWaitsHoweverLateItIs(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	id := o.submit(onePatient)
	later := time.Now().Add(100 * 24 * time.Hour)
	must(t, o.ExpireForTest(t.Context(), place, later))
	o.run(o.Work())
	p, err := o.Status(t.Context(), place, id)
	if err != nil || p.Record == nil || len(p.Record.Done) != 1 || p.Record.Done[0].Version.ID != "p" {
		t.Errorf("%+v %v", p, err)
	}
	must(t, o.ExpireForTest(t.Context(), place, later))
	if _, err := o.Status(t.Context(), place, id); !fault.Is(err, fault.NotFound) {
		t.Errorf("behind its time: %v", err)
	}
	if n := o.riders("bundle/"); n != 0 {
		t.Errorf("%d rows are left", n)
	}
}

// A job whose transaction is not there has done nothing, and says so.
func TestBackground_failsWhereThereIsNothingToCarryOut(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	id := o.submit(onePatient)
	_, err := o.store.Commit(t.Context(), store.Transaction{Riders: []store.Rider{{Key: []byte("bundle/async/" + id)}}})
	must(t, err)
	o.run(o.Work())
	if rec, err := o.ledger.Describe(t.Context(), place, id); err != nil || rec.State != job.Failed || rec.Message == "" {
		t.Errorf("%+v %v", rec, err)
	}
	if n := o.riders("bundle/result/"); n != 0 {
		t.Errorf("%d results", n)
	}
}
