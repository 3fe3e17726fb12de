package export_test

import (
	"strings"
	"testing"
	"time"

	"tarn/export"
	"tarn/job"
)

// hands are the two of a job.Clock, which are set apart.
type hands struct {
	wall    time.Time
	elapsed time.Duration
}

func (h *hands) clock() *job.Clock {
	return job.NewClock(func() time.Time { return h.wall }, func() time.Duration { return h.elapsed })
}

// pass lets time go by, which both show.
func (h *hands) pass(d time.Duration) { h.wall, h.elapsed = h.wall.Add(d), h.elapsed+d }

// ownExport runs an export to the service's own bucket.
func (w *world) ownExport() job.Record {
	w.t.Helper()
	rec, err := w.exports.Start(w.t.Context(), export.Request{Datastore: w.data.ID, DatastoreARN: w.data.ARN, Own: true})
	must(w.t, err)
	w.run()
	return rec
}

// cleaned cleans, and tells of how many exports there are files then.
func (w *world) cleaned() int {
	w.t.Helper()
	must(w.t, w.exports.Clean(w.t.Context()))
	own, err := w.cloud.Own(w.t.Context())
	must(w.t, err)
	folders := map[string]bool{}
	for o, err := range own.List(w.t.Context(), "") {
		must(w.t, err)
		folders[strings.Split(o.Key, "/")[1]] = true
	}
	return len(folders)
}

// expiry is when the files of an export go, and whether they are gone.
func (w *world) expiry(of job.Record) (time.Time, bool) {
	w.t.Helper()
	rec, j, err := w.exports.Describe(w.t.Context(), w.data.ID, of.ID)
	must(w.t, err)
	until, _ := w.exports.Expires(rec, j)
	return until, w.exports.Expired(rec, j)
}

// TestClean_keepsFilesTheirTimeWhateverTheClockIsSetTo lets an export end an hour after the start of a process, with the
// clock set then and there.
func TestClean_keepsFilesTheirTimeWhateverTheClockIsSetTo(t *testing.T) {
	t.Parallel()
	const days = 5 * 24 * time.Hour
	for _, tt := range []struct {
		name                string
		start, end, reading time.Duration // how far the clock is ahead at the start, when the export ends, and then
	}{
		{"right", 0, 0, 0},
		{"ahead at the start, then set right", days, 0, 0},
		{"ahead until the export has ended", days, days, 0},
		{"behind at the start, then set right", -days, 0, 0},
		{"behind by a day at the start, then set right", -days / 5, 0, 0},
		{"behind until the export has ended", -days, -days, 0},
		{"set ahead when the export has ended", 0, 0, days},
		{"set ahead before the export has ended", 0, days, days},
		{"ahead for a while", 0, days, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			right := time.Now()
			h := &hands{wall: right.Add(tt.start)}
			w := newWorldOf(t, export.Options{Clock: h.clock()})
			w.put("Patient", 0, 3, "en")
			h.pass(time.Hour)
			h.wall = h.wall.Add(tt.end - tt.start)
			rec := w.ownExport()
			h.wall = h.wall.Add(tt.reading - tt.end)
			for _, wait := range []time.Duration{0, export.OwnExpiry - time.Hour} {
				h.pass(wait)
				left := h.wall.Add(export.OwnExpiry - wait)
				if until, expired := w.expiry(rec); w.cleaned() != 1 || expired || until.Sub(left).Abs() > time.Second {
					t.Errorf("%v after the end it expires %v after what is right, and is gone: %v", wait, until.Sub(left), expired)
				}
			}
			h.pass(2 * time.Hour)
			if _, expired := w.expiry(rec); !expired || w.cleaned() != 0 {
				t.Errorf("an hour after its time it is gone: %v", expired)
			}
			h.wall = h.wall.Add(-days)
			if _, expired := w.expiry(rec); !expired {
				t.Error("with the clock set back its files are said to be there again")
			}
		})
	}
}

// TestClean_deletesWhatEndedWhileTheClockWasAhead lets one export end fourteen years too late, and another one after the
// clock was set right.
func TestClean_deletesWhatEndedWhileTheClockWasAhead(t *testing.T) {
	t.Parallel()
	const years = 14 * 365 * 24 * time.Hour
	h := &hands{wall: time.Now().Add(years)}
	w := newWorldOf(t, export.Options{Clock: h.clock()})
	w.put("Patient", 0, 3, "en")
	w.ownExport()
	h.wall = h.wall.Add(-years)
	w.ownExport()
	if n := w.cleaned(); n != 2 {
		t.Errorf("files of %d exports, want 2", n)
	}
	h.pass(export.OwnExpiry - time.Hour)
	if n := w.cleaned(); n != 2 {
		t.Errorf("files of %d exports within the time, want 2", n)
	}
	h.pass(2 * time.Hour)
	if n := w.cleaned(); n != 0 {
		t.Errorf("files of %d exports are left", n)
	}
}
