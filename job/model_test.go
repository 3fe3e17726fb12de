package job_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"tarn/fault"
	"tarn/job"
	"tarn/kv/pebble"
)

// modelJob is what the plain model knows of a job.
type modelJob struct {
	id, datastore, name, token string
	seq                        int
	state                      job.State
	term                       int
	marks                      map[string]string
	done                       int64
	planned                    bool
}

// model is a ledger in the plainest form: lists in memory.
type model struct {
	jobs   []*modelJob            // by seq
	queues map[string][]*modelJob // by data store: not ended, oldest first
	holder map[string]*modelJob   // who runs, by data store
}

func (m *model) end(j *modelJob, s job.State) {
	j.state = s
	m.queues[j.datastore] = slices.DeleteFunc(m.queues[j.datastore], func(o *modelJob) bool { return o == j })
	if m.holder[j.datastore] == j {
		delete(m.holder, j.datastore)
	}
}

// claim is one claim that somebody holds, or believes to hold.
type claim struct {
	run  *job.Run
	of   *modelJob
	term int
}

func (c claim) valid() bool { return c.of.term == c.term && !c.of.state.Terminal() }

func TestLedger_behavesAsItsModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		const waiting = 3
		ctx := context.Background()
		engine, err := pebble.InMemory(pebble.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer engine.Close()
		space, err := engine.Open(ctx, "system")
		if err != nil {
			t.Fatal(err)
		}
		open := func() *job.Ledger {
			l, err := job.Open(ctx, space, job.Options{})
			if err != nil {
				t.Fatal(err)
			}
			return l
		}
		l := open()
		m := &model{queues: map[string][]*modelJob{}, holder: map[string]*modelJob{}}
		var claims []claim
		stores := rapid.SampledFrom([]string{store1, store2})
		pick := func(t *rapid.T) *modelJob {
			if len(m.jobs) == 0 {
				t.Skip("no job yet")
			}
			return rapid.SampledFrom(m.jobs).Draw(t, "job")
		}
		hold := func(t *rapid.T) claim {
			if len(claims) == 0 {
				t.Skip("no claim yet")
			}
			return claims[rapid.IntRange(0, len(claims)-1).Draw(t, "claim")]
		}
		expect := func(t *rapid.T, err error, ok bool) bool {
			if ok && err != nil {
				t.Fatalf("failed: %v", err)
			}
			if !ok && !errors.Is(err, job.ErrTermLost) {
				t.Fatalf("got %v, want ErrTermLost", err)
			}
			return ok
		}
		t.Repeat(map[string]func(*rapid.T){
			"enqueue": func(t *rapid.T) {
				n := job.New{Kind: kind, Datastore: stores.Draw(t, "store"), Name: rapid.SampledFrom([]string{"", "a", "b"}).Draw(t, "name"),
					ClientToken: rapid.SampledFrom([]string{"", "", "t1", "t2"}).Draw(t, "token"), MaxWaiting: waiting}
				n.Fingerprint = n.Name
				rec, reused, err := l.Enqueue(ctx, n)
				if n.ClientToken != "" {
					if i := slices.IndexFunc(m.jobs, func(j *modelJob) bool { return j.token == n.ClientToken }); i >= 0 {
						if j := m.jobs[i]; j.datastore != n.Datastore || j.name != n.Name {
							if !fault.Is(err, fault.Invalid) {
								t.Fatalf("token of another request: %v", err)
							}
						} else if err != nil || !reused || rec.ID != j.id || rec.State != j.state {
							t.Fatalf("reuse: %+v %v %v", rec, reused, err)
						}
						return
					}
				}
				live := 0
				for _, j := range m.queues[n.Datastore] {
					if j.state.Waiting() {
						live++
					}
				}
				if m.holder[n.Datastore] == nil {
					live--
				}
				if live >= waiting {
					if !fault.Is(err, fault.Throttled) {
						t.Fatalf("full queue: %v", err)
					}
					return
				}
				if err != nil || reused || rec.State != job.Submitted || rec.Seq != uint64(len(m.jobs)+1) {
					t.Fatalf("enqueue: %+v %v %v", rec, reused, err)
				}
				j := &modelJob{id: rec.ID, datastore: n.Datastore, name: n.Name, token: n.ClientToken, seq: len(m.jobs) + 1,
					state: job.Submitted, marks: map[string]string{}}
				m.jobs = append(m.jobs, j)
				m.queues[n.Datastore] = append(m.queues[n.Datastore], j)
			},
			"claim": func(t *rapid.T) {
				d := stores.Draw(t, "store")
				seize := rapid.Bool().Draw(t, "seize")
				var j *modelJob
				seen := uint64(1 << 40)
				if j = m.holder[d]; j != nil {
					if seize {
						rec, err := l.Describe(ctx, d, j.id)
						if err != nil {
							t.Fatal(err)
						}
						seen = rec.Beat
					} else {
						j = nil
					}
				} else if q := m.queues[d]; len(q) > 0 && q[0].state.Waiting() {
					j = q[0]
				}
				run, err := l.Claim(ctx, kind, d, "me", seen)
				if err != nil || (run != nil) != (j != nil) {
					t.Fatalf("claim: %v %v, want a run: %v", run, err, j != nil)
				}
				if j == nil {
					return
				}
				j.term++
				if j.state.Waiting() {
					j.state = job.InProgress
				}
				m.holder[d] = j
				if rec := run.Record(); rec.ID != j.id || rec.Term != uint64(j.term) || rec.State != j.state {
					t.Fatalf("claimed %+v, want %+v", rec, *j)
				}
				claims = append(claims, claim{run, j, j.term})
			},
			"checkpoint": func(t *rapid.T) {
				c := hold(t)
				key, value := fmt.Sprint(rapid.IntRange(0, 4).Draw(t, "key")), rapid.StringN(0, 3, 9).Draw(t, "value")
				if !expect(t, c.run.Checkpoint(ctx, key, []byte(value), job.Progress{PartsDone: 1}), c.valid()) {
					return
				}
				if _, had := c.of.marks[key]; !had {
					c.of.done++
				}
				c.of.marks[key] = value
			},
			"plan": func(t *rapid.T) {
				c := hold(t)
				err := c.run.SetPlan(ctx, pieces("a", "b"), job.Progress{})
				if c.valid() && c.of.planned {
					if !fault.Is(err, fault.Exists) {
						t.Fatalf("second plan: %v", err)
					}
					return
				}
				if expect(t, err, c.valid()) {
					c.of.planned = true
				}
			},
			"finish": func(t *rapid.T) {
				c := hold(t)
				s := rapid.SampledFrom([]job.State{job.Completed, job.Failed, job.CancelCompleted}).Draw(t, "state")
				err := c.run.Finish(ctx, s, "")
				switch {
				case c.of.term == c.term && c.of.state.Terminal(): // repeated
					if err != nil {
						t.Fatal(err)
					}
				case c.valid() && c.of.state.Cancelling() && s != job.CancelCompleted:
					if !errors.Is(err, job.ErrCancelled) {
						t.Fatalf("finish of a cancelled job: %v", err)
					}
				default:
					if expect(t, err, c.valid()) {
						m.end(c.of, s)
					}
				}
			},
			"cancel": func(t *rapid.T) {
				j := pick(t)
				rec, err := l.Cancel(ctx, j.datastore, j.id)
				switch {
				case j.state.Terminal():
					if !fault.Is(err, fault.Conflict) {
						t.Fatalf("cancel of a job that has ended: %v", err)
					}
				case err != nil:
					t.Fatal(err)
				default:
					j.state = job.CancelSubmitted
					if rec.State != j.state {
						t.Fatal(rec)
					}
				}
			},
			"settle": func(t *rapid.T) {
				if err := l.Settle(ctx); err != nil {
					t.Fatal(err)
				}
				for d := range m.queues {
					first := true
					for _, j := range slices.Clone(m.queues[d]) {
						switch {
						case j == m.holder[d]:
						case j.state == job.CancelSubmitted:
							m.end(j, job.CancelCompleted)
						case j.state == job.Submitted && (m.holder[d] != nil || !first):
							j.state = job.Queued
						}
						first = false
					}
				}
			},
			"restart": func(*rapid.T) { l = open() },
			"": func(t *rapid.T) {
				page, err := l.List(ctx, job.ListFilter{Limit: job.MaxList})
				if err != nil || len(page.Jobs) != len(m.jobs) {
					t.Fatalf("list: %d jobs, want %d: %v", len(page.Jobs), len(m.jobs), err)
				}
				for i, rec := range slices.Backward(page.Jobs) {
					j := m.jobs[len(m.jobs)-1-i]
					if rec.ID != j.id || rec.State != j.state || rec.Term != uint64(j.term) || rec.Progress.PartsDone != j.done ||
						rec.Planned != j.planned || rec.Name != j.name {
						t.Fatalf("job %d is %+v, want %+v", j.seq, rec, *j)
					}
					n := 0
					for c, err := range l.Checkpoints(ctx, j.id) {
						if err != nil || j.marks[c.Key] != string(c.Value) {
							t.Fatalf("checkpoint %+v %v, want %q", c, err, j.marks[c.Key])
						}
						n++
					}
					if n != len(j.marks) {
						t.Fatalf("%d checkpoints, want %d", n, len(j.marks))
					}
				}
				for _, d := range []string{store1, store2} {
					active, err := l.Active(ctx, d)
					if err != nil || len(active) != len(m.queues[d]) {
						t.Fatalf("active: %v %v, want %d", active, err, len(m.queues[d]))
					}
					for i, j := range m.queues[d] {
						if active[i].ID != j.id {
							t.Fatalf("place %d of the queue is wrong", i)
						}
					}
				}
			},
		})
	})
}
