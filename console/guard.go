package console

import (
	"crypto/subtle"
	"net/http"
	"net/url"
	"path"
	"strings"
)

// policy lets pages load their own style, script and pictures and send forms to themselves; nothing else, and nothing
// inline.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"form-action 'self'; frame-ancestors 'none'; base-uri 'none'"

// setHeaders sets what every answer carries.
func setHeaders(h http.Header) {
	h.Set("Content-Security-Policy", policy)
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
}

// maxForm bounds a form's body.
const maxForm = 64 << 10

// visit is one request, and the session that it belongs to.
type visit struct {
	c *Console
	w http.ResponseWriter
	r *http.Request
	s *session // nil where nobody is signed in, which only open routes see
}

// guard lets a request through to a route: with a session where the route asks for one, and for forms only where they
// come from our own pages.
func (c *Console) guard(row route) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		v := &visit{c, w, r, c.sessionOf(r)}
		if v.s == nil && !row.open {
			v.report(v.toSignIn(false))
			return
		}
		if allowed := c.allowed(row, r); allowed != "" {
			w.Header().Set("Allow", allowed)
			v.report(v.fail(http.StatusMethodNotAllowed, Problem{Text: "This page does not take requests of that kind."}))
			return
		}
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			r.Body = http.MaxBytesReader(w, r.Body, maxForm)
			if problem, ok := c.genuine(v); !ok {
				v.report(v.fail(http.StatusForbidden, problem))
				return
			}
		}
		v.report(row.handle(c, v))
	})
}

// allowed are the methods of an address that is there but not for the request's method; empty where it is.
func (c *Console) allowed(row route, r *http.Request) string {
	if row.pattern != elsewhere {
		return ""
	}
	var all []string
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodPost} {
		if _, pattern := c.mux.Handler(&http.Request{Method: method, URL: r.URL, Host: r.Host}); pattern != elsewhere {
			all = append(all, method)
		}
	}
	return strings.Join(all, ", ")
}

// genuine reports whether a form came from one of our pages, opened by the same person.
func (c *Console) genuine(v *visit) (Problem, bool) {
	if c.origins.Check(v.r) != nil {
		return Problem{Text: "The form came from another site, so nothing was done.",
			Hint: "Open the console at its own address and fill in the form there."}, false
	}
	if err := parseForm(v.r); err != nil {
		return Problem{Text: "The form is too long or broken, so nothing was done."}, false
	}
	want := ""
	if v.s != nil {
		want = v.s.csrf
	} else if cookie, err := v.r.Cookie(doorCookie); err == nil {
		want = c.doorToken(cookie.Value)
	}
	got := v.r.PostForm.Get("csrf")
	if want == "" || subtle.ConstantTimeCompare([]byte(got), []byte(want)) != 1 {
		return Problem{Text: "The form is out of date, so nothing was done.", Hint: "Go back, reload the page and send the form again. Your browser must accept cookies."}, false
	}
	return Problem{}, true
}

// parseForm reads a form as browsers send it, by themselves or by our script.
func parseForm(r *http.Request) error {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/form-data") {
		return r.ParseMultipartForm(maxForm)
	}
	return r.ParseForm()
}

// sessionOf is the session that the request's cookie names, or nil. A page that refreshes itself is no sign of a person.
func (c *Console) sessionOf(r *http.Request) *session {
	cookie, err := r.Cookie(sessionCookie)
	if err != nil {
		return nil
	}
	return c.sessions.find(cookie.Value, r.Method == http.MethodPost || !isFragment(r))
}

// secure reports whether cookies are for https alone.
func (c *Console) secure(r *http.Request) bool {
	return r.TLS != nil || strings.HasPrefix(c.o.PublicURL, "https://") ||
		c.o.TrustProxy && strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

// toSignIn leads to the sign-in page and from there back.
func (v *visit) toSignIn(ended bool) error {
	if isFragment(v.r) {
		v.w.WriteHeader(http.StatusUnauthorized)
		return nil
	}
	q := url.Values{}
	if ended {
		q.Set("ended", "1")
	}
	if v.r.Method == http.MethodGet && v.r.URL.Path != "/console/" {
		q.Set("next", v.r.URL.RequestURI())
	}
	to := "/console/signin"
	if len(q) > 0 {
		to += "?" + q.Encode()
	}
	return v.redirect(to)
}

// ownPath is a path of the console that was given in a query, or the start page.
func ownPath(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || !strings.HasPrefix(path.Clean(u.Path)+"/", "/console/") || strings.ContainsAny(next, "\\\r\n") {
		return "/console/"
	}
	return u.RequestURI()
}
