package app

import "testing"

func TestTrimmer_waitsForIdlenessAfterWork(t *testing.T) {
	t.Parallel()
	const mb = 1 << 20
	var tr trimmer
	for i, step := range []struct {
		allocated uint64
		due       bool
	}{
		{1 * mb, false},   // idle from the start: nothing to give back
		{200 * mb, false}, // at work
		{400 * mb, false},
		{401 * mb, true},  // idle now
		{402 * mb, false}, // given back already
		{403 * mb, false},
		{430 * mb, false}, // at work, but little
		{431 * mb, false},
		{450 * mb, false},
		{451 * mb, true},
	} {
		if got := tr.due(step.allocated); got != step.due {
			t.Errorf("step %d, %d MiB: %v, want %v", i, step.allocated/mb, got, step.due)
		}
	}
}
