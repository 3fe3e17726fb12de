package crash_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"tarn/test/server"
)

// traffic is clients that write to and read from one data store until stop, and outlive the death of the server.
type traffic struct {
	t       *testing.T
	keys    aws.Credentials
	url     string // of the server
	base    string // of the data store
	journal *journal

	gate    sync.RWMutex // who writes holds it for reading
	ended   chan struct{}
	once    sync.Once
	all     sync.WaitGroup
	written atomic.Int64 // acknowledged
	lost    atomic.Int64 // sent, and what came of them is not known
	under   atomic.Int64 // writes under way
	cut     atomic.Int64 // written to the server to the last byte when the connection broke; reset by inFlight
	read    atomic.Int64
}

const (
	writers = 3
	readers = 1
	own     = 40 // resources of one writer
)

func newTraffic(t *testing.T, s *server.Server, keys aws.Credentials, p server.Place, j *journal) *traffic {
	t.Helper()
	w := &traffic{t: t, keys: keys, url: s.URL, base: p.Endpoint, journal: j, ended: make(chan struct{})}
	for n := range writers {
		w.all.Go(func() { w.write(n) })
	}
	for range readers {
		w.all.Go(w.reads)
	}
	t.Cleanup(w.stop)
	return w
}

// stop waits until all have ended; a second one does nothing.
func (w *traffic) stop() {
	w.once.Do(func() { close(w.ended) })
	w.all.Wait()
}

// pause waits until no write is under way, and keeps new ones back until resume.
func (w *traffic) pause()  { w.gate.Lock() }
func (w *traffic) resume() { w.gate.Unlock() }

func (w *traffic) over() bool {
	select {
	case <-w.ended:
		return true
	default:
		return false
	}
}

var (
	errUnsent = errors.New("not sent")                 // the server has not got the request
	errCut    = errors.New("sent, and never answered") // the server had been given all of it when the connection broke
)

// send makes one request; an error or a status of 500 and more leaves open what it did, unless it is errUnsent.
func (w *traffic) send(method, path, body string) (server.Answer, error) {
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	// The headers are written to a buffer before the first byte goes, and an error says that the server lacks the rest.
	// A request that is sent again, on another connection, is one of which nothing had gone.
	var begun, whole atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		WroteHeaders: func() { begun.Store(true) },
		WroteRequest: func(i httptrace.WroteRequestInfo) { begun.Store(i.Err == nil); whole.Store(i.Err == nil) },
	})
	var b []byte
	if body != "" {
		b = []byte(body)
	}
	a, err := server.Signed(ctx, w.keys, method, w.base+path, b)
	var refused *net.OpError
	switch {
	case err == nil && a.Status >= 500:
		err = fmt.Errorf("status %d: %s", a.Status, a.Body)
	case err == nil:
	case !begun.Load(), errors.As(err, &refused) && refused.Op == "dial":
		err = fmt.Errorf("%w: %w", errUnsent, err)
	case whole.Load() && ctx.Err() == nil:
		err = fmt.Errorf("%w: %w", errCut, err)
	}
	return a, err
}

// inFlight is how many writes the server had been given, and had not answered, when it died; it is asked behind that.
func (w *traffic) inFlight() int64 {
	if w == nil {
		return 0
	}
	for w.under.Load() > 0 { // a client learns of the death at once
		time.Sleep(time.Millisecond)
	}
	return w.cut.Swap(0)
}

// write changes the resources of one writer, one after the other, and journals every answer.
func (w *traffic) write(n int) {
	random := rand.New(rand.NewPCG(uint64(n), 1))
	acked := map[string]int{}  // id -> the last acknowledged version
	there := map[string]bool{} // surely: a delete would write a version
	last := ""                 // the id of the last write that was acknowledged
	for turn := 0; !w.over(); turn++ {
		r := resource{"Basic", fmt.Sprintf("live-%d-%d", n, random.IntN(own)), []string{
			fmt.Sprintf(`"code":{"text":"turn %d of writer %d"}`, turn, n), fmt.Sprintf(`"subject":{"reference":"Patient/base-%d"}`, 3*random.IntN(300))}}
		for !w.gate.TryRLock() {
			if w.over() {
				return
			}
			time.Sleep(time.Millisecond)
		}
		e, err := w.change(r, random.IntN(10) == 0 && there[r.id])
		w.gate.RUnlock()
		if err == nil {
			if e.Version > 0 {
				acked[r.id], there[r.id], last = e.Version, e.Op == "put", r.id
			}
			continue
		}
		if !errors.Is(err, errUnsent) {
			there[r.id] = false
		}
		w.await()
		if w.over() {
			return
		}
		w.holds(r.id, acked[r.id])
		if last != "" && last != r.id {
			w.holds(last, acked[last])
		}
	}
}

// change writes one resource, or deletes it, and journals what came of it, unless it was not sent.
func (w *traffic) change(r resource, remove bool) (entry, error) {
	e := entry{Sent: time.Now(), Op: "put", Type: r.kind, ID: r.id, Sum: r.sum()}
	method, body := http.MethodPut, r.body()
	if remove {
		e.Op, e.Sum, method, body = "delete", "", http.MethodDelete, ""
	}
	w.under.Add(1)
	a, err := w.send(method, r.kind+"/"+r.id, body)
	if errors.Is(err, errCut) {
		w.cut.Add(1)
	}
	w.under.Add(-1)
	e.Time = time.Now()
	if errors.Is(err, errUnsent) {
		return e, err
	}
	if err == nil && a.Status >= 300 {
		w.t.Errorf("%s %s/%s: status %d: %s", method, r.kind, r.id, a.Status, a.Body)
		return entry{}, nil
	}
	if err == nil && remove {
		err = w.deleted(&e)
	}
	if err != nil {
		w.lost.Add(1)
		e.Op = "lost"
		w.journal.append(e)
		return e, err
	}
	if !remove {
		var got struct {
			Meta struct{ VersionID, LastUpdated string }
		}
		if err := json.Unmarshal(a.Body, &got); err != nil {
			w.t.Errorf("PUT %s/%s: %v", r.kind, r.id, err)
		}
		e.Updated = got.Meta.LastUpdated
		fmt.Sscan(got.Meta.VersionID, &e.Version)
	}
	w.written.Add(1)
	w.journal.append(e)
	return e, nil
}

// deleted asks the history for version and instant of a deletion that was acknowledged, which its answer does not tell;
// behind a crash again, since the deletion must have outlived that. The error is of a test that is over.
func (w *traffic) deleted(e *entry) error {
	a, err := w.send(http.MethodGet, e.Type+"/"+e.ID+"/_history?_count=1", "")
	for err != nil {
		if w.over() {
			return err
		}
		w.await()
		a, err = w.send(http.MethodGet, e.Type+"/"+e.ID+"/_history?_count=1", "")
	}
	var h struct {
		Entry []struct {
			Request  struct{ Method string }
			Response struct{ ETag, LastModified string }
		}
	}
	if err = json.Unmarshal(a.Body, &h); err == nil && (len(h.Entry) != 1 || h.Entry[0].Request.Method != http.MethodDelete) {
		err = errors.New("the newest version is no deletion")
	}
	if err == nil {
		e.Updated = h.Entry[0].Response.LastModified
		_, err = fmt.Sscanf(strings.TrimPrefix(h.Entry[0].Response.ETag, "W/"), `"%d"`, &e.Version)
	}
	if err != nil {
		w.t.Errorf("%s/%s: its deletion was acknowledged, and its history says: status %d, %v: %s", e.Type, e.ID, a.Status, err, a.Body)
	}
	return nil
}

// await returns when the server answers again.
func (w *traffic) await() {
	for !w.over() {
		resp, err := http.Get(w.url + "/healthz")
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// holds asks at once, behind a crash, whether a resource has at least the version that was acknowledged.
func (w *traffic) holds(id string, acked int) {
	a, err := w.send(http.MethodGet, "Basic/"+id+"/_history?_count=1", "")
	if err != nil || acked == 0 {
		return // down again; the checker will look
	}
	var h struct {
		Entry []struct{ Response struct{ ETag string } }
	}
	version := 0
	if err := json.Unmarshal(a.Body, &h); err == nil && len(h.Entry) > 0 {
		fmt.Sscanf(strings.TrimPrefix(h.Entry[0].Response.ETag, "W/"), `"%d"`, &version)
	}
	if version < acked {
		w.t.Errorf("Basic/%s: version %d was acknowledged; behind the crash the newest is %d: %s", id, acked, version, a.Body)
	}
}

// reads searches and reads while the others write.
func (w *traffic) reads() {
	for n := 0; !w.over(); n++ {
		path := fmt.Sprintf("Basic/live-0-%d", n%own)
		switch n % 8 {
		case 0:
			path = "Basic?_count=5&_sort=-_lastUpdated"
		case 4:
			path = "Observation?status=final&_count=5"
		}
		a, err := w.send(http.MethodGet, path, "")
		switch {
		case err != nil:
			w.await()
		case a.Status != http.StatusOK && a.Status != http.StatusNotFound && a.Status != http.StatusGone:
			w.t.Errorf("GET %s: status %d: %s", path, a.Status, a.Body)
		default:
			w.read.Add(1)
		}
		time.Sleep(2 * time.Millisecond)
	}
}
