package store

import (
	"context"
	"time"
)

// A paced work looks after paceBytes whether it must rest, so that the processors that it keeps busy turn to others often;
// it rests for paceLongest at most, and looks each paceLook whether there is still a reason to.
const (
	paceBytes   = 32 << 10
	paceLook    = 100 * time.Millisecond
	paceLongest = time.Second
)

// Pace slows a work in the background down while interactive transactions come (Store.Contended). It is for one goroutine.
// A nil Pace slows nothing down.
type Pace struct {
	contended func() bool
	share     int // percent of the time
	bytes     int // since the last look
	since     time.Time
}

// Pace lets a work have about this share of the time, in percent, while interactive transactions come; 100 and more is all
// of it. The work runs on at once when they end.
func (v *View) Pace(share int) *Pace {
	if v.contended == nil || share >= 100 {
		return nil
	}
	return &Pace{contended: v.contended, share: max(share, 1), since: time.Now()}
}

// Step counts n bytes that the work has read, and rests when it is time.
func (p *Pace) Step(ctx context.Context, n int) {
	if p == nil {
		return
	}
	if p.bytes += n; p.bytes < paceBytes {
		return
	}
	p.bytes = 0
	owed := min(time.Since(p.since)*time.Duration(100-p.share)/time.Duration(p.share), paceLongest)
	for owed > 0 && ctx.Err() == nil && p.contended() { // where ctx has ended, the next move ends the work
		rest := min(owed, paceLook)
		owed -= rest
		timer := time.NewTimer(rest)
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
	p.since = time.Now()
}
