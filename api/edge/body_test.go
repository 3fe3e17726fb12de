package edge_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tarn/api/edge"
)

// listener accepts one connection that it is handed.
type listener struct {
	conns chan net.Conn
	done  chan struct{}
}

func (l *listener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}
func (l *listener) Close() error   { close(l.done); return nil }
func (l *listener) Addr() net.Addr { return &net.TCPAddr{} }

// TestBody_mayNotStandStill sends a body byte by byte under a fake clock: what stands still for a minute is cut off, a
// request has two minutes for its whole body, and an object as long as it moves.
func TestBody_mayNotStandStill(t *testing.T) {
	for _, c := range []struct {
		what, path string
		pause      time.Duration
		bytes      int
		ok         bool
	}{
		{"a quick request", "/datastore/0123456789abcdef0123456789abcdef/r4/", time.Second, 10, true},
		{"a request that stands still", "/datastore/0123456789abcdef0123456789abcdef/r4/", 61 * time.Second, 2, false},
		{"a request that never ends", "/datastore/0123456789abcdef0123456789abcdef/r4/", 20 * time.Second, 10, false},
		{"an object on a slow line", "/bucket/key", 20 * time.Second, 30, true},
		{"an object that stands still", "/bucket/key", 61 * time.Second, 2, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			e := edge.New(edge.Config{})
			face := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if _, err := io.ReadAll(r.Body); err != nil {
					edge.WriteOutcome(w, r, err)
					return
				}
				// The answer takes its time; the body's deadline must not end it.
				select {
				case <-r.Context().Done():
					t.Errorf("%s: the request was given up while it was answered", c.what)
				case <-time.After(10 * time.Minute):
				}
			})
			server := e.Server(e.Handler(edge.Faces{S3: face, FHIR: face}))
			client, far := net.Pipe()
			l := &listener{make(chan net.Conn, 1), make(chan struct{})}
			l.conns <- far
			go func() { _ = server.Serve(l) }()
			go func() {
				_, _ = fmt.Fprintf(client, "PUT %s HTTP/1.1\r\nHost: tarn.test\r\nContent-Length: %d\r\n\r\n", c.path, c.bytes)
				for range c.bytes {
					time.Sleep(c.pause)
					if _, err := client.Write([]byte("x")); err != nil {
						return
					}
				}
			}()
			response, err := http.ReadResponse(bufio.NewReader(client), nil)
			if err != nil {
				t.Fatalf("%s: %v", c.what, err)
			}
			body, _ := io.ReadAll(io.LimitReader(response.Body, 4096))
			if want := map[bool]int{true: 200, false: 408}[c.ok]; response.StatusCode != want || !c.ok && !strings.Contains(string(body), "too slowly") {
				t.Errorf("%s: %d %s, want %d", c.what, response.StatusCode, body, want)
			}
			_ = client.Close()
			_ = server.Close()
			synctest.Wait()
		})
	}
}

// A stranger who announces a body and sends none must not hold a connection, although nobody reads the body of a request
// that is refused.
func TestBody_thatNobodyReadsHoldsNoConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := edge.New(edge.Config{})
		server := e.Server(e.Handler(edge.Faces{FHIR: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusForbidden) })}))
		client, far := net.Pipe()
		l := &listener{make(chan net.Conn, 1), make(chan struct{})}
		l.conns <- far
		go func() { _ = server.Serve(l) }()
		start := time.Now()
		go func() {
			_, _ = fmt.Fprint(client, "PUT /datastore/0123456789abcdef0123456789abcdef/r4/ HTTP/1.1\r\nHost: tarn.test\r\nContent-Length: 10\r\n\r\n")
		}()
		_ = client.SetReadDeadline(start.Add(time.Hour))
		if _, err := io.Copy(io.Discard, client); err != nil {
			t.Errorf("the connection is still open after %v: %v", time.Since(start), err)
		}
		if held := time.Since(start); held > time.Minute {
			t.Errorf("the connection was held for %v", held)
		}
		_ = server.Close()
		synctest.Wait()
	})
}
