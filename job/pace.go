package job

import (
	"math"
	"time"
)

// Pace is how fast a running job goes: an average that follows the last half minute. What went by while nobody worked
// on the job does not count. It is zero until the first progress of a claim.
type Pace struct {
	Resources float64 // each second
	Bytes     float64 // each second
}

// paceSpan is how far back the average looks: what is older counts for less than a third.
const paceSpan = 30 * time.Second

// pace brings the average up to date after progress has been made.
func (r *row) pace(before Progress, now int64) {
	resources, bytes := r.Progress.Resources-before.Resources, r.Progress.Bytes-before.Bytes
	if resources == 0 && bytes == 0 {
		return
	}
	since := max(now-r.Paced, 1)
	perSecond := func(n int64) float64 { return float64(n) * 1000 / float64(since) }
	weight := 1.0
	if r.Rate != (Pace{}) {
		weight = 1 - math.Exp(-float64(since)/float64(paceSpan.Milliseconds()))
	}
	r.Rate.Resources += weight * (perSecond(resources) - r.Rate.Resources)
	r.Rate.Bytes += weight * (perSecond(bytes) - r.Rate.Bytes)
	r.Paced = now
}

// TimeLeft is about how long a running job still takes at its pace, by its bytes where their total is known, else by its
// resources; false where that cannot be told.
func (r Record) TimeLeft() (time.Duration, bool) {
	p := r.Progress
	left, pace := p.BytesTotal-p.Bytes, r.Pace.Bytes
	if p.BytesTotal == 0 {
		left, pace = p.ResourcesTotal-p.Resources-p.Failed, r.Pace.Resources
		if p.ResourcesTotal == 0 {
			return 0, false
		}
	}
	if r.State != InProgress || pace <= 0 {
		return 0, false
	}
	return time.Duration(float64(max(left, 0)) / pace * float64(time.Second)).Round(time.Second), true
}
