package app

import (
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"

	"tarn/console"
)

// inside carries calls of the public API straight to its handler, for the console: it works behind any proxy and needs
// no way from the server to its own address. The caller's address is that of the person at the browser.
type inside struct{ handler func() http.Handler }

// RoundTrip implements http.RoundTripper: the answer's body is what the handler writes, while it writes it.
func (i inside) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	in := r.Clone(ctx)
	in.URL = &url.URL{Path: r.URL.Path, RawPath: r.URL.RawPath, RawQuery: r.URL.RawQuery}
	in.RequestURI = in.URL.RequestURI()
	in.Proto, in.ProtoMajor, in.ProtoMinor = "HTTP/1.1", 1, 1
	if in.Host == "" {
		in.Host = r.URL.Host
	}
	if in.Body == nil {
		in.Body = http.NoBody
	}
	in.Header.Set("User-Agent", "tarn-console")
	if browser := console.Browser(ctx); browser != nil {
		in.RemoteAddr, in.TLS = browser.RemoteAddr, browser.TLS
		for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Proto"} {
			if values := browser.Header.Values(name); len(values) > 0 {
				in.Header[name] = values
			}
		}
	}
	reader, writer := io.Pipe()
	w := &answer{header: http.Header{}, body: writer, head: make(chan struct{})}
	go func() {
		defer func() {
			if recover() != nil { // the edge has counted it; half an answer must not look like a whole one
				writer.CloseWithError(io.ErrUnexpectedEOF)
			}
			w.WriteHeader(http.StatusOK)
			_ = in.Body.Close() // it is the caller's buffer
			writer.Close()
		}()
		i.handler().ServeHTTP(w, in)
	}()
	select {
	case <-w.head:
	case <-ctx.Done():
		reader.CloseWithError(ctx.Err()) // the handler's writes fail from now on
		return nil, ctx.Err()
	}
	return &http.Response{Status: fmt.Sprintf("%d %s", w.status, http.StatusText(w.status)), StatusCode: w.status, Proto: in.Proto, ProtoMajor: 1, ProtoMinor: 1,
		Header: w.sent, Body: reader, ContentLength: -1, Request: r}, nil
}

// answer is what a handler writes to.
type answer struct {
	header http.Header
	body   *io.PipeWriter
	once   sync.Once
	head   chan struct{} // closed once status and sent are set
	status int
	sent   http.Header
}

func (w *answer) Header() http.Header { return w.header }

func (w *answer) WriteHeader(status int) {
	if status < http.StatusOK {
		return // informational
	}
	w.once.Do(func() {
		w.status, w.sent = status, w.header.Clone()
		close(w.head)
	})
}

func (w *answer) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}
