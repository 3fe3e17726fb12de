package app

import (
	"net/http"
	"sync"
	"time"
)

// underway counts the requests that a handler works on, so that nothing is closed beneath them.
type underway struct {
	handler http.Handler

	mu   sync.Mutex
	n    int
	idle chan struct{} // closed when n falls to zero; nil while nobody waits
}

// ServeHTTP implements http.Handler.
func (u *underway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	u.mu.Lock()
	u.n++
	u.mu.Unlock()
	defer func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		if u.n--; u.n == 0 && u.idle != nil {
			close(u.idle)
			u.idle = nil
		}
	}()
	u.handler.ServeHTTP(w, r)
}

// wait reports whether all requests ended within the time. No new ones may come meanwhile.
func (u *underway) wait(limit time.Duration) bool {
	u.mu.Lock()
	if u.n == 0 {
		u.mu.Unlock()
		return true
	}
	if u.idle == nil {
		u.idle = make(chan struct{})
	}
	idle := u.idle
	u.mu.Unlock()
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-idle:
		return true
	case <-timer.C:
		return false
	}
}
