package app_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tarn/app"
	"tarn/console"
)

func inside(t *testing.T, ctx context.Context, h http.HandlerFunc, method, target, body string) (*http.Response, string, error) {
	t.Helper()
	r, err := http.NewRequestWithContext(ctx, method, target, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	resp, err := (&http.Client{Transport: app.Inside(h)}).Do(r)
	if err != nil {
		return nil, "", err
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	return resp, string(b), err
}

func TestInside_looksLikeTheNetwork(t *testing.T) {
	t.Parallel()
	h := func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		w.Header().Set("X-Seen", r.Method+" "+r.Host+" "+r.RequestURI+" "+r.URL.Path)
		w.WriteHeader(http.StatusTeapot)
		w.Header().Set("X-Late", "1")
		_, _ = w.Write(b)
		_, _ = io.WriteString(w, "!")
	}
	resp, text, err := inside(t, t.Context(), h, http.MethodPut, "https://tarn.example.org/b/a%20b?x=1", "body")
	if err != nil || resp.StatusCode != http.StatusTeapot || resp.Status != "418 I'm a teapot" || text != "body!" || resp.Header.Get("X-Late") != "" {
		t.Errorf("%v %q %v", resp, text, err)
	}
	if seen := resp.Header.Get("X-Seen"); seen != "PUT tarn.example.org /b/a%20b?x=1 /b/a b" {
		t.Errorf("the handler saw %q", seen)
	}
	if resp, text, err := inside(t, t.Context(), func(http.ResponseWriter, *http.Request) {}, http.MethodGet, "http://h/", ""); err != nil || resp.StatusCode != http.StatusOK || text != "" {
		t.Errorf("a handler that says nothing: %v %q %v", resp, text, err)
	}
}

func TestInside_halfAnAnswerIsAnError(t *testing.T) {
	t.Parallel()
	_, _, err := inside(t, t.Context(), func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "half")
		panic(http.ErrAbortHandler)
	}, http.MethodGet, "http://h/", "")
	if !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v", err)
	}
}

func TestInside_letsGoWhenNobodyWaits(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	left := make(chan error, 1)
	_, _, err := inside(t, ctx, func(w http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
		var err error
		for err == nil { // until the reader is known to be gone
			_, err = io.WriteString(w, "x")
		}
		left <- err
	}, http.MethodGet, "http://h/", "")
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	if err := <-left; err == nil {
		t.Error("the handler's writes go on")
	}
}

func TestInside_bringsTheBrowsersAddress(t *testing.T) {
	t.Parallel()
	got := ""
	api := app.Inside(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		got = r.RemoteAddr + " " + r.Header.Get("X-Forwarded-For") + r.Header.Get("Cookie")
	}))
	web, err := console.New(console.Options{Endpoint: "http://h", Transport: api, Region: "us-east-1"})
	if err != nil {
		t.Fatal(err)
	}
	open := httptest.NewRequest(http.MethodGet, "/console/signin", nil)
	w := httptest.NewRecorder()
	web.ServeHTTP(w, open)
	_, rest, _ := strings.Cut(w.Body.String(), `name="csrf" value="`)
	token, _, _ := strings.Cut(rest, `"`)
	send := httptest.NewRequest(http.MethodPost, "/console/signin", strings.NewReader("access-key=k&secret=s&csrf="+token))
	send.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	send.Header.Set("X-Forwarded-For", "192.0.2.9")
	send.RemoteAddr = "203.0.113.5:99"
	for _, c := range w.Result().Cookies() {
		send.AddCookie(c)
	}
	web.ServeHTTP(httptest.NewRecorder(), send)
	if got != "203.0.113.5:99 192.0.2.9" {
		t.Errorf("the API saw %q", got)
	}
}
