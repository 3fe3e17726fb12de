package faults_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"tarn/event"
	"tarn/export"
	"tarn/fault"
	"tarn/ingest"
	"tarn/interaction"
	"tarn/job"
	"tarn/kv"
)

// TestMiddle_movesTheClock: jobs do not look at it, and the instants of a data store never go back.
func TestMiddle_movesTheClock(t *testing.T) {
	t.Parallel()
	for _, jump := range []time.Duration{26 * time.Hour, -26 * time.Hour, 20 * 365 * 24 * time.Hour} {
		t.Run(jump.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := build(t)
				h.fill()
				h.input("n0000")
				calmImport := h.startImport("n0000")
				h.run()
				wantImport := h.imported(calmImport, "n0000")
				calm := h.startExport("calm")
				h.run()
				want := h.exported(calm)
				h.at(2, func() { h.skew.Store(int64(jump)) })
				rec := h.startExport("one")
				h.run()
				h.whole("export", rec, want)
				got := h.describe(rec)
				if got.EndTime.Before(got.StartTime) || jump > 0 && got.StartTime.Before(got.SubmitTime) {
					t.Errorf("submitted %v, started %v, ended %v", got.SubmitTime, got.StartTime, got.EndTime)
				}
				h.at(1, func() { h.skew.Store(-int64(jump)) })
				h.input("n0001")
				rec = h.startImport("n0001")
				h.run()
				if got := h.imported(rec, "n0001"); got != wantImport {
					t.Errorf("import:\n%s\nwant\n%s", got, wantImport)
				}
				last := h.instant()
				for _, skew := range []time.Duration{0, jump, -jump} {
					h.skew.Store(int64(skew))
					h.put("Location", "l", 2)
					now := h.instant()
					if now < last {
						t.Errorf("with the clock off by %v the data store's instant went from %d to %d", skew, last, now)
					}
					last = now
				}
			})
		})
	}
}

// instant is that of the data store's last commit.
func (h *house) instant() int64 {
	h.t.Helper()
	s, err := h.catalog.Store(h.t.Context(), h.data.ID)
	must(h.t, err)
	head, err := s.Head(h.t.Context())
	must(h.t, err)
	return int64(head.Instant)
}

// webhook takes every event.
type webhook struct {
	t     *testing.T
	mu    sync.Mutex
	taken []taken
}

// taken is what the test looks at of an event.
type taken struct {
	ID, Type string
	Time     time.Time
	Data     struct{ Detail struct{ JobID string } }
}

func (w *webhook) RoundTrip(r *http.Request) (*http.Response, error) {
	var e taken
	must(w.t, json.NewDecoder(r.Body).Decode(&e))
	w.mu.Lock()
	defer w.mu.Unlock()
	w.taken = append(w.taken, e)
	return &http.Response{StatusCode: http.StatusNoContent, Body: http.NoBody, Request: r}, nil
}

// of are the types of the events of a job, and of its times.
func (w *webhook) of(jobID string) (types []string, times []time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range w.taken {
		if e.Data.Detail.JobID == jobID {
			types, times = append(types, e.Type), append(times, e.Time)
		}
	}
	return types, times
}

// event puts the event of a job into the outbox, as the program does.
func (h *house) event(b *kv.Batch, rec job.Record) {
	switch rec.Kind {
	case export.Kind:
		h.outbox.Job(b, rec, "Export", h.data.ARN, export.Output(rec))
	case ingest.Import:
		h.outbox.Job(b, rec, "Import", h.data.ARN, ingest.Output(rec))
	}
}

// TestMiddle_movesTheClockUnderEventsAndTransactions: each state of each job is told once and in order; a transaction that
// waits is carried out once; one that was sent with a key is carried out once, though it is sent again.
func TestMiddle_movesTheClockUnderEventsAndTransactions(t *testing.T) {
	t.Parallel()
	for _, jump := range []time.Duration{26 * time.Hour, -26 * time.Hour, 20 * 365 * 24 * time.Hour, -20 * 365 * 24 * time.Hour} {
		t.Run(jump.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := build(t)
				h.fill()
				to := &webhook{t: t}
				sender, err := event.NewSender(h.outbox, event.Webhook{URL: "http://hook.test/", Client: &http.Client{Transport: to}})
				must(t, err)
				ctx, stop := context.WithCancel(t.Context())
				done := make(chan struct{})
				go func() { defer close(done); sender.Run(ctx) }()

				var jobs []job.Record
				var waiting []string
				for n, skew := range []time.Duration{0, jump, 0} {
					h.skew.Store(int64(skew))
					waiting = append(waiting, h.submit(fmt.Sprintf("w%d", n), ""), h.submit(fmt.Sprintf("k%d", n), "once"))
					jobs = append(jobs, h.startExport(fmt.Sprint("e", n)))
					name := fmt.Sprintf("n%d", n)
					h.input(name)
					jobs = append(jobs, h.startImport(name))
				}
				h.at(2, func() { h.skew.Store(int64(jump)) })
				h.run()
				h.skew.Store(0)
				time.Sleep(time.Hour) // for the sender
				synctest.Wait()

				for n, rec := range jobs {
					kind, end := "Export", "Completed"
					if rec.Kind == ingest.Import {
						kind, end = "Import", "CompletedWithErrors"
					}
					var want []string
					for _, state := range []string{"Submitted", "Queued", "InProgress", end} {
						if state == "Queued" && n < 2 { // the first of its kind waits for none
							continue
						}
						want = append(want, "aws.healthlake."+kind+"Job"+state)
					}
					got, times := to.of(rec.ID)
					if !slices.Equal(got, want) || !slices.IsSortedFunc(times, time.Time.Compare) {
						t.Errorf("the events of a job are %v at %v, want %v", got, times, want)
					}
				}
				ids := map[string]bool{}
				for _, e := range to.taken {
					if ids[e.ID] {
						t.Errorf("event %s came twice", e.ID)
					}
					ids[e.ID] = true
				}
				short := jump.Abs() < interaction.RecordLife // else what the clock let in, or sees now, may be over
				for n, id := range waiting {
					p, err := h.behind.Status(t.Context(), h.data.ID, id)
					if (err != nil || p.Record == nil) && (short || !fault.Is(err, fault.NotFound)) {
						t.Errorf("transaction %d: %+v, %v", n, p, err)
					}
				}
				if short {
					for n, skew := range []time.Duration{jump, 0} {
						h.skew.Store(int64(skew))
						h.submit(fmt.Sprintf("k%d", 3+n), "once")
						h.run()
					}
				}
				s, err := h.catalog.Store(t.Context(), h.data.ID)
				must(t, err)
				view, err := s.Latest(t.Context())
				must(t, err)
				defer view.Close()
				for _, id := range []string{"w0", "w1", "w2", "k0"} {
					if v, err := view.Read(t.Context(), codeOf("Basic"), id); err != nil || v.Number != 1 {
						t.Errorf("Basic/%s was accepted: version %d, %v", id, v.Number, err)
					}
				}
				for _, id := range []string{"k1", "k2", "k3", "k4"} {
					if _, err := view.Read(t.Context(), codeOf("Basic"), id); err == nil {
						t.Errorf("Basic/%s: another transaction with the key of k0 was carried out", id)
					}
				}
				stop()
				<-done
			})
		})
	}
}

// submit has a transaction carried out in the background that makes one resource.
func (h *house) submit(id, key string) string {
	h.t.Helper()
	body := fmt.Appendf(nil, `{"resourceType":"Bundle","type":"transaction","entry":[{"resource":{"resourceType":"Basic","id":%q,"code":{"text":"x"}},"request":{"method":"PUT","url":"Basic/%[1]s"}}]}`, id)
	base := "http://tarn.test/datastore/" + h.data.ID + "/r4/"
	b, err := h.bundles.ReadBundle(base, body)
	must(h.t, err)
	defer b.Close()
	at, err := h.behind.Submit(h.t.Context(), interaction.TransactionRequest{Datastore: h.data.ID, Base: base, Bundle: b, Key: key}, body)
	must(h.t, err)
	return at
}
