package console

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
	"time"

	"tarn/api/client"
	"tarn/fault"
)

// doorCookie ties a sign-in form to the browser that asked for it, so that nobody can sign a person in as somebody else.
const doorCookie = "tarn-door"

// givenSessionTime bounds a session that was signed in with a session token, whose end we do not know. The API refuses
// it once it is over, wherever that is earlier.
const givenSessionTime = time.Hour

type signInData struct {
	AccessKey string
	Next      string
	Token     bool // a session token was given, or is wanted
	Ended     bool
	Problem   *Problem
}

func (c *Console) doorToken(nonce string) string {
	mac := hmac.New(sha256.New, c.doorKey[:])
	mac.Write([]byte(nonce))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

func (c *Console) cookie(r *http.Request, name, value string, age int) *http.Cookie {
	return &http.Cookie{Name: name, Value: value, Path: "/console/", MaxAge: age, HttpOnly: true, Secure: c.secure(r), SameSite: http.SameSiteStrictMode}
}

// signInPage shows the sign-in form; who is signed in already goes on.
func (c *Console) signInPage(v *visit) error {
	q := v.r.URL.Query()
	next := ownPath(q.Get("next"))
	if v.s != nil {
		return v.redirect(next)
	}
	return c.showSignIn(v, http.StatusOK, signInData{Next: next, Ended: q.Get("ended") != ""})
}

func (c *Console) showSignIn(v *visit, status int, d signInData) error {
	nonce := ""
	if cookie, err := v.r.Cookie(doorCookie); err == nil && len(cookie.Value) == len(random()) {
		nonce = cookie.Value // a second tab keeps the first one's form good
	} else {
		nonce = random()
		http.SetCookie(v.w, c.cookie(v.r, doorCookie, nonce, 0))
	}
	return v.show(status, "signin", frame{Title: "Sign in", CSRF: c.doorToken(nonce), Data: d})
}

// signIn trades an access key for a session, which this server keeps; the secret is forgotten.
func (c *Console) signIn(v *visit) error {
	f := v.r.PostForm
	d := signInData{AccessKey: strings.TrimSpace(f.Get("access-key")), Next: ownPath(f.Get("next")), Token: strings.TrimSpace(f.Get("token")) != ""}
	address := c.address(v.r)
	if wait := c.failures.wait(address); wait > 0 {
		v.w.Header().Set("Retry-After", strconv.Itoa(int(math.Ceil(wait.Seconds()))))
		d.Problem = &Problem{Text: fmt.Sprintf("Too many sign-ins failed from your address. Try again in %s.", minutes(wait))}
		return c.showSignIn(v, http.StatusTooManyRequests, d)
	}
	given := client.Credentials{AccessKeyID: d.AccessKey, Secret: strings.TrimSpace(f.Get("secret")), Token: strings.TrimSpace(f.Get("token"))}
	if given.AccessKeyID == "" || given.Secret == "" {
		d.Problem = &Problem{Text: "Give an access key ID and its secret access key."}
		return c.showSignIn(v, http.StatusBadRequest, d)
	}
	s, err := c.trade(v, given)
	switch {
	case err != nil && isRefusal(err):
		c.failures.failed(address)
		d.Problem = &Problem{Text: "The access key, its secret or the session token is not right, or the key is inactive.", RequestID: problemOf(err).RequestID}
		if strings.HasPrefix(given.AccessKeyID, "ASIA") && given.Token == "" {
			d.Token, d.Problem.Hint = true, "A key that begins with ASIA belongs to a session: give its session token, too."
		}
		return c.showSignIn(v, http.StatusForbidden, d)
	case err != nil:
		p := problemOf(err)
		d.Problem = &p
		return c.showSignIn(v, statusOf(err), d)
	}
	c.failures.succeeded(address)
	if old, err := v.r.Cookie(sessionCookie); err == nil {
		c.sessions.remove(old.Value)
	}
	http.SetCookie(v.w, c.cookie(v.r, sessionCookie, c.sessions.add(s), 0))
	http.SetCookie(v.w, c.cookie(v.r, doorCookie, "", -1))
	return v.redirect(d.Next)
}

// trade makes a session of credentials: a long-term key's is asked of STS, one that was given is used as it is.
func (c *Console) trade(v *visit, given client.Credentials) (s session, err error) {
	ctx := v.r.Context()
	s.expires = c.o.Now().Add(givenSessionTime)
	if given.Token == "" {
		door, err := c.client(given)
		if err != nil {
			return s, err
		}
		if given, s.expires, err = door.Session(ctx); err != nil {
			return s, err
		}
	}
	if s.api, err = c.client(given); err != nil {
		return s, err
	}
	s.who, err = s.api.CallerIdentity(ctx)
	return s, err
}

// isRefusal reports whether the API refused the credentials themselves.
func isRefusal(err error) bool {
	return fault.Is(err, fault.Denied) || fault.Is(err, fault.Unauthentic) || fault.Is(err, fault.Invalid)
}

// signOut ends the session.
func (c *Console) signOut(v *visit) error {
	if cookie, err := v.r.Cookie(sessionCookie); err == nil {
		c.sessions.remove(cookie.Value)
	}
	http.SetCookie(v.w, c.cookie(v.r, sessionCookie, "", -1))
	return v.redirect("/console/signin")
}

func minutes(d time.Duration) string {
	if n := int(math.Ceil(d.Minutes())); n > 1 {
		return fmt.Sprintf("%d minutes", n)
	}
	return "one minute"
}
