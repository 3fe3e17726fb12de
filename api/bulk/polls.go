package bulk

import (
	"math"
	"net/http"
	"strconv"
	"sync"
	"time"

	"tarn/fault"
	"tarn/fhir"
)

// How often a caller may ask for the status of one export: pollBurst times at once, and from then on pollRate times a
// second. Who keeps to Retry-After, which is a second at least, never comes near it.
const (
	pollBurst = 120
	pollRate  = 4.0
)

// polls counts who asks how often (Bulk Data Access 3.0.0, section "Bulk Data Status Request"). It is safe for concurrent
// use.
type polls struct {
	now   func() time.Time
	mu    sync.Mutex
	of    map[poller]*allowance
	swept time.Time
}

type poller struct{ caller, job string }

// allowance is how many polls a poller has left as of a time; it grows by pollRate up to pollBurst.
type allowance struct {
	left float64
	at   time.Time
}

// full is how long it takes until nothing is remembered of who does not ask.
const full = time.Duration(pollBurst / pollRate * float64(time.Second))

// take counts one poll. It gives 0 where it is not too many, else after which time the next will not be.
func (p *polls) take(caller, job string) time.Duration {
	now := p.now()
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.of == nil {
		p.of = map[poller]*allowance{}
	}
	if now.Sub(p.swept) > full {
		for who, a := range p.of {
			if now.Sub(a.at) > full {
				delete(p.of, who)
			}
		}
		p.swept = now
	}
	a := p.of[poller{caller, job}]
	if a == nil {
		a = &allowance{left: pollBurst, at: now}
		p.of[poller{caller, job}] = a
	}
	if passed := now.Sub(a.at).Seconds(); passed > 0 { // a clock that was set back gives nothing and takes nothing
		a.left = min(pollBurst, a.left+passed*pollRate)
	}
	a.at = now
	if a.left < 1 {
		return time.Duration(math.Ceil((1-a.left)/pollRate)) * time.Second
	}
	a.left--
	return 0
}

// tooOften refuses a poll that comes too soon; the export is not touched by it.
func tooOften(w http.ResponseWriter, wait time.Duration) error {
	w.Header().Set("Retry-After", strconv.Itoa(int(wait/time.Second)))
	return fhir.NewOutcomeError(fault.Throttled, "bulk", fhir.Issue{Severity: fhir.SeverityError, Code: "throttled",
		Diagnostics: "The status is asked for too often. The export goes on; ask again after the time that Retry-After tells."})
}
