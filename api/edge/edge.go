// Package edge is what lies beneath all faces: one listener's request ids, limits, routing, signatures, access log,
// metrics, and the tables that turn kinds of fault into each protocol's wire form.
package edge

import (
	"context"
	"log/slog"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tarn/access"
	"tarn/access/sigv4"
)

// Bounds that hold where Config does not say otherwise.
const (
	MaxBody    = 5_000_000 // bytes of a body of the JSON, query and FHIR faces
	MaxPackage = 16 << 20  // bytes of a FHIR package (POST profiles of a data store)
	MaxObject  = 5 << 30   // bytes of one S3 body
	MaxURL     = 16 << 10  // bytes of a request's path and query; over it 414
	MaxHeader  = 64 << 10  // bytes of all headers; the server refuses more with 431
)

// Config says how an Edge works.
type Config struct {
	Directory access.Directory // who there is; may also be a Sessions
	Account   string           // 12 digits
	Region    string           // that signatures must be scoped to; empty takes any
	Log       *slog.Logger     // nil logs nothing
	Now       func() time.Time // nil is time.Now
	// Registry takes the metrics; nil keeps none.
	Registry prometheus.Registerer
	MaxBody  int64 // bytes; 0 is MaxBody
	// MaxObject bounds S3 bodies, in bytes; 0 is MaxObject.
	MaxObject int64
	// TrustProxy takes the caller's address and scheme from X-Forwarded-For and X-Forwarded-Proto.
	TrustProxy bool
}

// Sessions is a Directory whose session tokens carry the session themselves, so that an access key id alone does not
// find it.
type Sessions interface {
	// Session finds the credential of a session's access key, given the token that came along; fault.NotFound where
	// they do not belong together.
	Session(ctx context.Context, accessKeyID, token string) (access.Credential, error)
}

// Edge is the ground beneath the faces. It is safe for concurrent use.
type Edge struct {
	cfg      Config
	verifier *sigv4.Verifier
	sessions Sessions // nil where Directory is none
	metrics  *metrics
	draining atomic.Bool
}

// New makes an Edge.
func New(cfg Config) *Edge {
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.MaxBody <= 0 {
		cfg.MaxBody = MaxBody
	}
	if cfg.MaxObject <= 0 {
		cfg.MaxObject = MaxObject
	}
	e := &Edge{cfg: cfg, verifier: sigv4.New(cfg.Region), metrics: newMetrics(cfg.Registry)}
	e.sessions, _ = cfg.Directory.(Sessions)
	return e
}

// Account is the twelve digits of the account that is served.
func (e *Edge) Account() string { return e.cfg.Account }

// Region is the Region that is served.
func (e *Edge) Region() string { return e.cfg.Region }

// Drain makes /readyz answer 503 from now on, so that balancers send no more; what is under way goes on. Call it
// before http.Server.Shutdown.
func (e *Edge) Drain() { e.draining.Store(true) }

// Server is an HTTP server for a handler with the bounds and timeouts of this house. Headers have ten seconds; a body
// may not stand still for a minute, and has two altogether unless it is an object.
func (e *Edge) Server(h http.Handler) *http.Server {
	return &http.Server{
		Handler:           h,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    MaxHeader,
		ErrorLog:          slog.NewLogLogger(e.cfg.Log.Handler(), slog.LevelDebug),
	}
}
