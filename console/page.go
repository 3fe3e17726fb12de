package console

import (
	"bytes"
	"errors"
	"html/template"
	"net/http"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"tarn/api/client"
	"tarn/fault"
)

// Problem is an error as a page shows it.
type Problem struct {
	Text      string // a sentence
	Hint      string // what to do about it, or empty
	RequestID string // to look for in the server's log, or empty
}

// frame is what every page has; Data is the page's own.
type frame struct {
	Title string
	Nav   string // the entry of the navigation that is lit
	CSRF  string
	Who   *client.Identity // nil: nobody is signed in
	Until string           // when the session ends
	Here  string           // the page's own address
	Data  any
}

// fragmentHeader asks for the part of a page that changes while something runs.
const fragmentHeader = "X-Tarn-Fragment"

func isFragment(r *http.Request) bool { return r.Header.Get(fragmentHeader) != "" }

// parsePages reads the templates: each page is the layout with the page's own blocks. Templates whose name begins with
// an underscore are parts of pages.
func parsePages(a assets) (map[string]*template.Template, error) {
	funcs := template.FuncMap{"asset": func(name string) (string, error) {
		if to, ok := a.byName[name]; ok {
			return to, nil
		}
		return "", fault.Errorf(fault.Internal, "console", "there is no asset %s", name)
	}}
	for name, f := range formats {
		funcs[name] = f
	}
	base, err := template.New("layout").Option("missingkey=error").Funcs(funcs).ParseFS(files, "templates/_*.html")
	if err != nil {
		return nil, fault.Wrap("console", err)
	}
	entries, err := files.ReadDir("templates")
	if err != nil {
		return nil, fault.Wrap("console", err)
	}
	pages := map[string]*template.Template{}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), "_") {
			continue
		}
		page, err := base.Clone()
		if err == nil {
			page, err = page.ParseFS(files, "templates/"+e.Name())
		}
		if err != nil {
			return nil, fault.Wrap("console", err)
		}
		pages[strings.TrimSuffix(e.Name(), path.Ext(e.Name()))] = page
	}
	return pages, nil
}

// page shows a page to who is signed in.
func (v *visit) page(name, nav, title string, data any) error {
	return v.show(http.StatusOK, name, frame{Title: title, Nav: nav, Data: data})
}

// show renders a page whole before the first byte is sent, so that an error never leaves half a page; of a page that
// refreshes itself, only the block "live" is asked for.
func (v *visit) show(status int, name string, f frame) error {
	f.Here = v.r.URL.RequestURI()
	if v.s != nil {
		f.CSRF, f.Who, f.Until = v.s.csrf, &v.s.who, formatTime(v.s.expires)
	}
	block := "layout"
	if isFragment(v.r) {
		block = "live"
	}
	var b bytes.Buffer
	if err := v.c.pages[name].ExecuteTemplate(&b, block, f); err != nil {
		return fault.Wrap("console", err)
	}
	v.w.Header().Set("Content-Type", "text/html; charset=utf-8")
	v.w.Header().Set("Vary", fragmentHeader)
	v.w.WriteHeader(status)
	_, _ = v.w.Write(b.Bytes()) // who went away needs no answer
	return nil
}

func (v *visit) redirect(to string) error {
	http.Redirect(v.w, v.r, to, http.StatusSeeOther)
	return nil
}

// fail shows a page that says what went wrong.
func (v *visit) fail(status int, p Problem) error {
	if p.RequestID == "" {
		p.RequestID = v.w.Header().Get("X-Amzn-Requestid")
	}
	if isFragment(v.r) {
		v.w.WriteHeader(status)
		return nil
	}
	return v.show(status, "failure", frame{Title: "That did not work", Data: p})
}

// report answers for a handler that failed.
func (v *visit) report(err error) {
	if err == nil {
		return
	}
	if v.s != nil && sessionOver(err) {
		if cookie, bad := v.r.Cookie(sessionCookie); bad == nil {
			v.c.sessions.remove(cookie.Value)
		}
		if v.toSignIn(true) == nil {
			return
		}
	}
	if v.fail(statusOf(err), problemOf(err)) != nil {
		http.Error(v.w, "internal error", http.StatusInternalServerError)
	}
}

// sessionOver reports whether the API no longer takes the session's credentials.
func sessionOver(err error) bool {
	var e *client.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Code {
	case "ExpiredToken", "ExpiredTokenException", "InvalidClientTokenId", "UnrecognizedClientException", "InvalidAccessKeyId", "security":
		return true
	}
	return false
}

// problemOf puts an error into sentences for people.
func problemOf(err error) Problem {
	p := Problem{Text: fault.Message(err), Hint: fault.Hint(err)}
	var e *client.Error
	if errors.As(err, &e) {
		p.RequestID = e.RequestID
		if e.Message != "" {
			p.Text = e.Message
		}
	}
	if p.Text != "" && !strings.ContainsAny(p.Text[len(p.Text)-1:], ".!?") {
		p.Text += "."
	}
	if first, size := utf8.DecodeRuneInString(p.Text); size > 0 {
		p.Text = string(unicode.ToUpper(first)) + p.Text[size:]
	}
	return p
}

var statuses = map[fault.Kind]int{
	fault.Invalid: http.StatusBadRequest, fault.Denied: http.StatusForbidden, fault.Unauthentic: http.StatusForbidden,
	fault.NotFound: http.StatusNotFound, fault.Gone: http.StatusGone, fault.Exists: http.StatusConflict,
	fault.Conflict: http.StatusConflict, fault.Precondition: http.StatusPreconditionFailed, fault.TooLarge: http.StatusRequestEntityTooLarge,
	fault.Throttled: http.StatusTooManyRequests, fault.Unavailable: http.StatusServiceUnavailable,
	fault.Unsupported: http.StatusNotImplemented,
}

// statusOf is the HTTP status of a page that shows err.
func statusOf(err error) int {
	if status, ok := statuses[fault.KindOf(err)]; ok {
		return status
	}
	return http.StatusInternalServerError
}
