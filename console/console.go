// Package console is the web console under /console/: sign in, data stores, exports and their jobs. It is a client of the
// public API like any other: whatever it shows or does, another client could with the same access key.
package console

import (
	"context"
	"crypto/rand"
	"html/template"
	"net/http"
	"time"

	"tarn/api/client"
	"tarn/fault"
)

// Options wire the console.
type Options struct {
	// Endpoint is the base address that calls of the API are signed for: http://HOST:PORT, without a path.
	Endpoint string
	// Transport carries the calls; nil is the network. One that leads straight to the API's handler also works where
	// the server cannot reach its own address.
	Transport http.RoundTripper
	// Region is what calls are signed for.
	Region string
	// PublicURL is where browsers find the server. With https, cookies are for https alone.
	PublicURL string
	// TrustProxy takes the browser's address and scheme from X-Forwarded-For and X-Forwarded-Proto.
	TrustProxy bool
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

// Console serves everything below /console/. It is safe for concurrent use.
type Console struct {
	o        Options
	http     *http.Client
	mux      *http.ServeMux
	origins  *http.CrossOriginProtection
	sessions *sessions
	failures *throttle
	pages    map[string]*template.Template
	assets   assets
	doorKey  [32]byte // of the tokens in sign-in forms
}

// New makes the console; an Endpoint or PublicURL that is no URL is fault.Invalid.
func New(o Options) (*Console, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	c := &Console{o: o, http: &http.Client{Transport: o.Transport, Timeout: callTime}, mux: http.NewServeMux(),
		origins: http.NewCrossOriginProtection(), sessions: newSessions(o.Now), failures: newThrottle(o.Now)}
	if _, err := c.client(client.Credentials{}); err != nil {
		return nil, err
	}
	if o.PublicURL != "" {
		if err := c.origins.AddTrustedOrigin(o.PublicURL); err != nil {
			return nil, fault.Errorf(fault.Invalid, "console", "public URL %q: %v", o.PublicURL, err)
		}
	}
	_, _ = rand.Read(c.doorKey[:]) // never fails: see crypto/rand
	var err error
	if c.assets, err = loadAssets(); err != nil {
		return nil, err
	}
	if c.pages, err = parsePages(c.assets); err != nil {
		return nil, err
	}
	for _, row := range routes {
		c.mux.Handle(row.pattern, c.guard(row))
	}
	return c, nil
}

// callTime bounds one call of the API; none that the console makes is long.
const callTime = time.Minute

// client calls the API as the holder of the credentials.
func (c *Console) client(cred client.Credentials) (*client.Client, error) {
	return client.New(client.Config{Endpoint: c.o.Endpoint, Region: c.o.Region, Credentials: cred, HTTP: c.http})
}

// ServeHTTP implements http.Handler.
func (c *Console) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	setHeaders(w.Header())
	ctx := context.WithValue(r.Context(), browserKey{}, r)
	c.mux.ServeHTTP(w, r.WithContext(ctx))
}

type browserKey struct{}

// Browser is the request on whose behalf a call of the API is made, or nil. A Transport within the server takes the
// caller's address from it, so that policies that ask for it are about the person, not about the server.
func Browser(ctx context.Context) *http.Request {
	r, _ := ctx.Value(browserKey{}).(*http.Request)
	return r
}
