package erase_test

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"tarn/erase"
	"tarn/job"
)

// skewed sets the clock of the service, and begins it anew; the function sets it once more while it runs.
func (w *world) skewed(ahead time.Duration) (set func(ahead time.Duration)) {
	began := time.Now()
	wall := func() time.Time { return time.Now().Add(ahead) }
	w.o.Clock = job.NewClock(wall, func() time.Duration { return time.Since(began) })
	w.svc = erase.New(w.o)
	return func(to time.Duration) { ahead = to }
}

// TestTrim_isNotMisledByAClockThatIsSet keeps what was superseded within 30 days.
func TestTrim_isNotMisledByAClockThatIsSet(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for _, tt := range []struct {
		name        string
		keep        erase.Retention
		start, then time.Duration // how far the clock is ahead at the start, and then
	}{
		{"set ahead", erase.Retention{Age: 30 * day}, 0, 40 * day},
		{"ahead at the start", erase.Retention{Age: 30 * day}, 40 * day, 0},
		{"behind at the start", erase.Retention{Age: 30 * day}, -40 * day, 0},
		{"set ahead with a number of versions", erase.Retention{Versions: 1}, 0, 40 * day},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			w.o.Keep = tt.keep
			set := w.skewed(tt.start)
			set(tt.then)
			for n := range 5 {
				w.put(fmt.Sprintf(`{"resourceType":"Patient","id":"p","birthDate":"2000-01-%02d"}`, n+1))
				time.Sleep(time.Hour)
			}
			if n, err := w.svc.Trim(t.Context(), datastore); n != 0 || err != nil {
				t.Errorf("%s: %d versions are removed, %v", tt.name, n, err)
			}
			time.Sleep(80 * day)
			w.put(`{"resourceType":"Basic","id":"x","code":{"text":"x"}}`)
			if n, err := w.svc.Trim(t.Context(), datastore); n != 4 || err != nil {
				t.Errorf("%s: of four that are old %d versions are removed, %v", tt.name, n, err)
			}
		})
	}
}

// TestPurge_endsNoExportForAClockThatIsSet lets an export hold up an erasure.
func TestPurge_endsNoExportForAClockThatIsSet(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for _, tt := range []struct {
		name        string
		start, then time.Duration // how far the clock is ahead at the start, and when the resource is hidden
	}{
		{"right", 0, 0},
		{"set ahead", 0, 40 * day},
		{"ahead at the start", 40 * day, 0},
		{"behind at the start", -40 * day, 0},
		{"years behind what the data store has noted", -400 * day, -400 * day},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			set := w.skewed(tt.start)
			w.put(`{"resourceType":"Patient","id":"p1"}`)
			head, err := w.data.Head(t.Context())
			must(t, err)
			w.pins["export-1"] = head.Tx
			id, _, err := w.svc.Start(t.Context(), request(false))
			must(t, err)
			set(tt.then)
			purge := func(left time.Duration) {
				t.Helper()
				more, err := w.svc.Purge(t.Context(), datastore)
				must(t, err)
				p, err := w.svc.Status(t.Context(), datastore, id)
				must(t, err)
				if got := p.Until.Sub(w.o.Clock.Wall()); !more || len(w.abandoned) > 0 || (got-left).Abs() > time.Second {
					t.Errorf("%s: ended are %v; the export is said to be ended in %v, want %v", tt.name, w.abandoned, got, left)
				}
			}
			purge(erase.DefaultWait)
			time.Sleep(erase.DefaultWait - time.Hour)
			purge(time.Hour)
			time.Sleep(2 * time.Hour)
			if _, err := w.svc.Purge(t.Context(), datastore); err != nil || len(w.abandoned) != 1 {
				t.Errorf("%s: when it has waited too long, ended are %v: %v", tt.name, w.abandoned, err)
			}
		})
	}
}
