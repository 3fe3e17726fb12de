package ingest_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"tarn/fault"
	"tarn/ingest"
	"tarn/job"
)

// TestTidy_isNotMisledByAClockThatIsSet keeps the bucket of an import away which has failed, with the clock set then.
func TestTidy_isNotMisledByAClockThatIsSet(t *testing.T) {
	t.Parallel()
	const years = 14 * 365 * 24 * time.Hour
	for _, tt := range []struct {
		name        string
		start, then time.Duration // how far the clock is ahead of that of the ledger at the start, and then
	}{
		{"right", 0, 0},
		{"set ahead", 0, years},
		{"ahead at the start, then set right", years, 0},
		{"behind at the start, then set right", -years, 0},
		{"far behind the time at which the import ended", -years, -years},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			began, ahead := time.Now(), tt.start
			w.svc = ingest.New(ingest.Options{Datastores: w, Ledger: w.ledger, Cloud: w.cloud,
				List:  func(context.Context) ([]string, error) { return []string{datastore}, nil },
				Clock: job.NewClock(func() time.Time { return time.Now().Add(ahead) }, func() time.Duration { return time.Since(began) })})
			w.failsWithoutBucket()
			ahead = tt.then
			for _, wait := range []time.Duration{0, ingest.OwedFor - time.Hour} {
				time.Sleep(wait)
				if left, err := w.svc.Tidy(t.Context()); !left || !fault.Is(err, fault.Unavailable) || w.riders() == 0 {
					t.Errorf("%s: after %v %d pieces are left: %v", tt.name, wait, w.riders(), err)
				}
			}
			time.Sleep(2 * time.Hour)
			if left := w.tidy(); left || w.riders() > 0 {
				t.Errorf("%s: in the end %d pieces are left", tt.name, w.riders())
			}
		})
	}
}
