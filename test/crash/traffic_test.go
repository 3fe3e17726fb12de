package crash_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
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
	lost    atomic.Int64 // sent and never answered
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

// send makes one request; an error or a status of 500 and more leaves open what it did.
func (w *traffic) send(method, path, body string) (server.Answer, error) {
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	var b []byte
	if body != "" {
		b = []byte(body)
	}
	a, err := server.Signed(ctx, w.keys, method, w.base+path, b)
	if err == nil && a.Status >= 500 {
		err = fmt.Errorf("status %d: %s", a.Status, a.Body)
	}
	return a, err
}

// write changes the resources of one writer, one after the other, and journals every answer.
func (w *traffic) write(n int) {
	random := rand.New(rand.NewPCG(uint64(n), 1))
	acked := map[string]int{}  // id -> the last acknowledged version
	there := map[string]bool{} // surely: a delete would write a version
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
				acked[r.id], there[r.id] = e.Version, e.Op == "put"
			}
			continue
		}
		there[r.id] = false
		w.await()
		if w.over() {
			return
		}
		w.holds(r.id, acked[r.id])
	}
}

// change writes one resource, or deletes it, and journals what came of it.
func (w *traffic) change(r resource, remove bool) (entry, error) {
	e := entry{Sent: time.Now(), Op: "put", Type: r.kind, ID: r.id, Sum: r.sum()}
	method, body := http.MethodPut, r.body()
	if remove {
		e.Op, e.Sum, method, body = "delete", "", http.MethodDelete, ""
	}
	a, err := w.send(method, r.kind+"/"+r.id, body)
	e.Time = time.Now()
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
		if a.Status != http.StatusOK && a.Status != http.StatusCreated {
			w.t.Errorf("PUT %s/%s: status %d: %s", r.kind, r.id, a.Status, a.Body)
			return entry{}, nil
		}
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

// deleted asks the history for version and instant of a deletion, which its answer does not tell.
func (w *traffic) deleted(e *entry) error {
	a, err := w.send(http.MethodGet, e.Type+"/"+e.ID+"/_history?_count=1", "")
	if err != nil {
		return err
	}
	var h struct {
		Entry []struct {
			Request  struct{ Method string }
			Response struct{ ETag, LastModified string }
		}
	}
	if err := json.Unmarshal(a.Body, &h); err != nil || len(h.Entry) != 1 {
		return fmt.Errorf("history: status %d, %v", a.Status, err)
	}
	e.Updated = h.Entry[0].Response.LastModified
	if h.Entry[0].Request.Method != http.MethodDelete { // it had been deleted before: nothing was written
		return errors.New("the newest version is no deletion")
	}
	_, err = fmt.Sscanf(strings.TrimPrefix(h.Entry[0].Response.ETag, "W/"), `"%d"`, &e.Version)
	return err
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
