package job_test

import (
	"bytes"
	"context"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tarn/fault"
	"tarn/job"
	"tarn/kv"
)

func TestStuck_workIsBegunAgainAndFailsAtLast(t *testing.T) {
	bubble(t, func(t *testing.T, _ kv.Engine, l *job.Ledger) {
		rec := enqueue(t, l, job.New{})
		var begun atomic.Int32
		_, stop := start(t, l, job.RunnerOptions{Attempts: 3, StuckAfter: time.Minute, Kinds: kinds(work{run: func(ctx context.Context, r *job.Run) error {
			begun.Add(1)
			return untilStopped(ctx, r)
		}})})
		defer stop()
		time.Sleep(50 * time.Second)
		synctest.Wait()
		if n := begun.Load(); n != 1 {
			t.Fatalf("after 50 seconds the work was begun %d times", n)
		}
		time.Sleep(5 * time.Minute)
		synctest.Wait()
		now := state(t, l, rec)
		if n := begun.Load(); n != 3 || now.State != job.Failed || now.Message != "The job made no progress for 1m0s." {
			t.Errorf("begun %d times, %s %q", n, now.State, now.Message)
		}
	})
}

func TestStuck_progressKeepsAWorkAlive(t *testing.T) {
	bubble(t, func(t *testing.T, _ kv.Engine, l *job.Ledger) {
		rec := enqueue(t, l, job.New{})
		var begun atomic.Int32
		_, stop := start(t, l, job.RunnerOptions{StuckAfter: time.Minute, Kinds: kinds(work{run: func(ctx context.Context, r *job.Run) error {
			begun.Add(1)
			for range 20 {
				time.Sleep(50 * time.Second)
				if err := ctx.Err(); err != nil {
					return err
				}
				if err := r.SetProgress(ctx, func(p *job.Progress) { p.Resources++ }); err != nil {
					return err
				}
			}
			return nil
		}})})
		defer stop()
		time.Sleep(20 * time.Minute)
		synctest.Wait()
		if now, n := state(t, l, rec), begun.Load(); n != 1 || now.State != job.Completed {
			t.Errorf("begun %d times, %s", n, now.State)
		}
	})
}

func TestStuck_aSignOfLifeKeepsAWorkAlive(t *testing.T) {
	for name, sign := range map[string]func(context.Context, *job.Run){
		"a word":     func(_ context.Context, r *job.Run) { r.Alive() },
		"a question": func(ctx context.Context, r *job.Run) { _ = r.Living(ctx).Err() },
		"an upload":  func(_ context.Context, r *job.Run) { _, _ = io.ReadAll(r.Upload(strings.NewReader(""))) },
		"a copy": func(_ context.Context, r *job.Run) {
			_, _ = io.Copy(io.Discard, r.Upload(bytes.NewReader([]byte("x"))))
		},
		"a download": func(_ context.Context, r *job.Run) {
			_, _ = io.ReadAll(r.Download(io.NopCloser(strings.NewReader(""))))
		},
		"no sign yet": nil,
	} {
		t.Run(name, func(t *testing.T) {
			bubble(t, func(t *testing.T, _ kv.Engine, l *job.Ledger) {
				rec := enqueue(t, l, job.New{})
				want, begun := job.Completed, 0
				if sign == nil {
					want = job.Failed
				}
				_, stop := start(t, l, job.RunnerOptions{StuckAfter: time.Minute, Kinds: kinds(work{run: func(ctx context.Context, r *job.Run) error {
					begun++
					for range 20 {
						time.Sleep(50 * time.Second)
						if err := ctx.Err(); err != nil {
							return err
						}
						if sign != nil {
							sign(ctx, r)
						}
					}
					return nil
				}})})
				defer stop()
				time.Sleep(3 * time.Hour)
				synctest.Wait()
				if now := wantState(t, l, rec, want); want == job.Completed && begun != 1 {
					t.Errorf("begun %d times, %s", begun, now.State)
				}
			})
		})
	}
}

func TestPace_followsTheWorkAndTellsTheTimeLeft(t *testing.T) {
	bubble(t, func(t *testing.T, _ kv.Engine, l *job.Ledger) {
		rec := enqueue(t, l, job.New{})
		_, stop := start(t, l, job.RunnerOptions{Kinds: kinds(work{run: func(ctx context.Context, r *job.Run) error {
			for range 10 {
				time.Sleep(10 * time.Second)
				if err := r.SetProgress(ctx, func(p *job.Progress) { p.Resources, p.ResourcesTotal = p.Resources+1000, 100_000 }); err != nil {
					return err
				}
			}
			return untilStopped(ctx, r)
		}})})
		time.Sleep(101 * time.Second)
		synctest.Wait()
		now := state(t, l, rec)
		left, ok := now.TimeLeft()
		if now.Pace.Resources < 99 || now.Pace.Resources > 101 || !ok || left.Round(time.Minute) != 15*time.Minute {
			t.Errorf("100 resources a second give the pace %v, and 90,000 of them take %v (%v)", now.Pace, left, ok)
		}
		stop()
		if now := state(t, l, rec); now.Pace != (job.Pace{}) {
			t.Errorf("nobody works, the pace is %v", now.Pace)
		}
	})
}

func TestForget_erasesEndedJobsOnly(t *testing.T) {
	bubble(t, func(t *testing.T, engine kv.Engine, l *job.Ledger) {
		ctx := context.Background()
		old := enqueue(t, l, job.New{ClientToken: "once", Fingerprint: "f"})
		run, err := l.Claim(ctx, kind, store1, "w", 0)
		if err != nil {
			t.Fatal(err)
		}
		if err := run.Checkpoint(ctx, "part", []byte("x"), job.Progress{}); err != nil {
			t.Fatal(err)
		}
		if err := run.Finish(ctx, job.Completed, ""); err != nil {
			t.Fatal(err)
		}
		waiting := enqueue(t, l, job.New{})
		time.Sleep(time.Hour)
		young := enqueue(t, l, job.New{Datastore: store2})
		if run, err = l.Claim(ctx, kind, store2, "w", 0); err != nil {
			t.Fatal(err)
		}
		if err := run.Finish(ctx, job.Failed, "why"); err != nil {
			t.Fatal(err)
		}
		n, err := l.Forget(ctx, time.Now().Add(-time.Minute))
		if err != nil || n != 1 {
			t.Fatalf("%d jobs forgotten: %v", n, err)
		}
		if _, err := l.Describe(ctx, store1, old.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("the old job is still there: %v", err)
		}
		for range l.Checkpoints(ctx, old.ID) {
			t.Error("its checkpoint is still there")
		}
		if state(t, l, waiting).State != job.Submitted || state(t, l, young).State != job.Failed {
			t.Error("a job that waits, or is young, has changed")
		}
		page, err := l.List(ctx, job.ListFilter{})
		if err != nil || len(page.Jobs) != 2 {
			t.Errorf("the list has %d jobs: %v", len(page.Jobs), err)
		}
		again, reused, err := l.Enqueue(ctx, job.New{Kind: kind, Datastore: store1, ClientToken: "once", Fingerprint: "other"})
		if err != nil || reused || again.ID == old.ID {
			t.Errorf("the token of a forgotten job: %v, reused %v", err, reused)
		}
	})
}

func TestForget_followsTheRetention(t *testing.T) {
	bubble(t, func(t *testing.T, _ kv.Engine, l *job.Ledger) {
		rec := enqueue(t, l, job.New{})
		_, stop := start(t, l, job.RunnerOptions{Retention: 24 * time.Hour, Kinds: kinds(work{run: func(context.Context, *job.Run) error { return nil }})})
		defer stop()
		time.Sleep(23 * time.Hour)
		synctest.Wait()
		if state(t, l, rec).State != job.Completed {
			t.Fatal("the job is not there any more after 23 hours")
		}
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		if _, err := l.Describe(context.Background(), rec.Datastore, rec.ID); !fault.Is(err, fault.NotFound) {
			t.Errorf("the job is still there after 26 hours: %v", err)
		}
	})
}

func TestOnState_isToldOfEveryStateInItsCommit(t *testing.T) {
	bubble(t, func(t *testing.T, engine kv.Engine, _ *job.Ledger) {
		ctx := context.Background()
		space, err := engine.Open(ctx, "system")
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		l, err := job.Open(ctx, space, job.Options{OnState: func(b *kv.Batch, rec job.Record) {
			n++
			b.Set(append([]byte("seen/"), byte('a'+n)), []byte(string(rec.State)+" "+string(rec.Params)))
		}})
		if err != nil {
			t.Fatal(err)
		}
		params := []byte(`{"x":1}`)
		enqueue(t, l, job.New{Params: params})
		second := enqueue(t, l, job.New{Params: params})
		_, stop := start(t, l, job.RunnerOptions{Kinds: kinds(work{run: func(context.Context, *job.Run) error {
			time.Sleep(time.Second)
			return nil
		}})})
		time.Sleep(500 * time.Millisecond)
		if _, err := l.Cancel(ctx, second.Datastore, second.ID); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		stop()
		snap, err := space.Snapshot(ctx)
		if err != nil {
			t.Fatal(err)
		}
		defer snap.Close()
		it := snap.Scan(ctx, kv.Prefix([]byte("seen/")))
		defer it.Close()
		var got []string
		for it.Next() {
			got = append(got, string(it.Value()))
		}
		want := []string{"SUBMITTED", "SUBMITTED", "QUEUED", "IN_PROGRESS", "CANCEL_SUBMITTED", "CANCEL_COMPLETED", "COMPLETED"}
		if len(got) != len(want) {
			t.Fatalf("told of %q, want %q", got, want)
		}
		for i := range want {
			if got[i] != want[i]+` {"x":1}` {
				t.Errorf("state %d is %q, want %q with the parameters", i, got[i], want[i])
			}
		}
	})
}
