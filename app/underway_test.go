package app_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"

	"tarn/app"
)

func TestUnderway_waitsForRequests(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		u := app.Underway(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			time.Sleep(5 * time.Second)
			if r.URL.Path == "/panic" {
				panic(http.ErrAbortHandler)
			}
		}))
		if !u.Wait(0) {
			t.Error("waits for nobody")
		}
		for _, path := range []string{"/", "/panic"} {
			go func() {
				defer func() { _ = recover() }()
				u.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
			}()
		}
		synctest.Wait()
		if u.Wait(time.Second) {
			t.Error("does not wait")
		}
		began := time.Now()
		if !u.Wait(time.Minute) || time.Since(began) != 4*time.Second {
			t.Errorf("waited for %v", time.Since(began))
		}
	})
}
