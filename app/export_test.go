package app

import (
	"net/http"
	"testing"
	"time"

	"tarn/kv/pebble"
)

// Inside carries calls straight to a handler.
func Inside(h http.Handler) http.RoundTripper { return inside{func() http.Handler { return h }} }

// Waiter is a handler that can be waited for.
type Waiter struct{ underway }

// Underway counts the requests of a handler.
func Underway(h http.Handler) *Waiter { return &Waiter{underway{handler: h}} }

// Wait waits for them.
func (w *Waiter) Wait(limit time.Duration) bool { return w.wait(limit) }

// ReadyForTest asks a readiness with or without runner, over a sound engine or a broken one.
func ReadyForTest(t *testing.T, jobs, broken bool) error {
	engine, err := pebble.InMemory(pebble.Options{})
	if err != nil {
		t.Fatal(err)
	}
	space, err := engine.Open(t.Context(), "system")
	if err != nil {
		t.Fatal(err)
	}
	if broken {
		_ = engine.Close()
	} else {
		defer engine.Close()
	}
	r := readiness{system: space}
	r.jobs.Store(jobs)
	return r.check(t.Context())
}
