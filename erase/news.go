package erase

import (
	"sync"
	"time"
)

// news says of what is looked at again and again when it is worth a line of the log. It is safe for concurrent use.
type news struct {
	now func() time.Time
	mu  sync.Mutex
	of  map[string]*told
}

// told is what was said of something last.
type told struct {
	text  string
	at    time.Time
	pause time.Duration // until it is said again though nothing has changed
}

// The pauses before the same is said again grow between these.
const (
	sayAgain     = time.Minute
	sayAtLongest = 6 * time.Hour
)

// isNew reports whether a text is another than the last one, or was said long ago.
func (n *news) isNew(of, text string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	last := n.of[of]
	switch {
	case last == nil || last.text != text:
		if n.of == nil {
			n.of = map[string]*told{}
		}
		n.of[of] = &told{text, n.now(), sayAgain}
		return true
	case n.now().Sub(last.at) < last.pause:
		return false
	}
	last.at, last.pause = n.now(), min(2*last.pause, sayAtLongest)
	return true
}

// over forgets what was said: the next text is new.
func (n *news) over(of string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	delete(n.of, of)
}
