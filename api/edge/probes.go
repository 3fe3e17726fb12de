package edge

import (
	"io"
	"net/http"

	"tarn/fault"
)

// probes answers /healthz (the process lives), /readyz (it takes requests) and /metrics.
func (e *Edge) probes(f Faces) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			w.Header().Set("Allow", "GET, HEAD")
			plain(w, http.StatusMethodNotAllowed, "only GET and HEAD\n")
			return
		}
		switch r.URL.Path {
		case "/healthz":
			SetRoute(r.Context(), "healthz")
			plain(w, http.StatusOK, "ok\n")
		case "/readyz":
			SetRoute(r.Context(), "readyz")
			if e.draining.Load() {
				plain(w, http.StatusServiceUnavailable, "draining\n")
				return
			}
			if f.Ready != nil {
				if err := f.Ready(r.Context()); err != nil {
					why := fault.Message(err)
					if fault.HasForeignCause(err) { // everybody may ask, and such words hold paths and addresses
						why = "the server's log tells more"
						if t := traceOf(r.Context()); t != nil {
							t.failure = err
						}
					}
					plain(w, http.StatusServiceUnavailable, "not ready: "+why+"\n")
					return
				}
			}
			plain(w, http.StatusOK, "ready\n")
		case "/metrics":
			SetRoute(r.Context(), "metrics")
			if f.Metrics == nil {
				plain(w, http.StatusNotFound, "metrics are not offered\n")
				return
			}
			f.Metrics.ServeHTTP(w, r)
		}
	})
}

func plain(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text)
}
