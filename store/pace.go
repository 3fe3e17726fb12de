package store

import (
	"context"
	"time"
)

// A paced scan pauses after paceBytes, so that the processors that it keeps busy turn to others often; it then rests
// paceRest times as long as it has worked since the last pause, but not longer than paceLongest.
const (
	paceBytes   = 128 << 10
	paceRest    = 3
	paceLongest = 100 * time.Millisecond
)

// pace slows a scan down while interactive transactions come.
type pace struct {
	contended func() bool
	bytes     int       // since the last pause
	since     time.Time // when the last pause ended
}

// GiveWay makes the scan a work in the background: while interactive transactions come (Store.Contended) it, and what
// its caller does between two calls of Next, gets about a quarter of the time, and runs on at once when they end.
func (s *Scan) GiveWay() {
	if s.v.contended != nil {
		s.pace = &pace{contended: s.v.contended, since: time.Now()}
	}
}

// step counts what was read and rests when it is time.
func (p *pace) step(ctx context.Context, n int) {
	if p.bytes += n; p.bytes < paceBytes {
		return
	}
	p.bytes = 0
	if rest := p.rest(time.Since(p.since)); rest > 0 {
		timer := time.NewTimer(rest)
		select {
		case <-timer.C:
		case <-ctx.Done(): // the next move ends the scan
		}
		timer.Stop()
	}
	p.since = time.Now()
}

// rest is how long to pause after so much work.
func (p *pace) rest(worked time.Duration) time.Duration {
	if !p.contended() {
		return 0
	}
	return min(paceRest*worked, paceLongest)
}
