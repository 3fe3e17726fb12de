package event_test

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tarn/event"
	"tarn/job"
	"tarn/kv"
	"tarn/kv/pebble"
)

// hook is a webhook that answers as told and keeps what it took.
type hook struct {
	mu     sync.Mutex
	status func(n int) int
	calls  int
	taken  []map[string]any
	sound  bool // every signature was right
}

func (h *hook) RoundTrip(r *http.Request) (*http.Response, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	h.calls++
	status := h.status(h.calls)
	if status == 0 {
		return nil, fmt.Errorf("connection refused")
	}
	mac := hmac.New(sha256.New, []byte("hush"))
	mac.Write(body)
	h.sound = r.Header.Get("X-Tarn-Signature") == "sha256="+hex.EncodeToString(mac.Sum(nil)) && strings.HasPrefix(r.Header.Get("Content-Type"), "application/cloudevents+json")
	if status < 300 {
		var e map[string]any
		if err := json.Unmarshal(body, &e); err != nil {
			return nil, err
		}
		h.taken = append(h.taken, e)
	}
	return &http.Response{StatusCode: status, Status: fmt.Sprint(status), Body: http.NoBody, Request: r}, nil
}

func (h *hook) types() (all []string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, e := range h.taken {
		all = append(all, e["type"].(string))
	}
	return all
}

// jumping is a clock that is put forward or back.
type jumping struct{ by atomic.Int64 }

func (j *jumping) now() time.Time { return time.Now().Add(time.Duration(j.by.Load())) }

func open(ctx context.Context, t *testing.T, space kv.Space, clock *jumping) *event.Outbox {
	t.Helper()
	o, err := event.Open(ctx, space, event.Origin{Account: "000000000000", Region: "us-east-1"}, clock.now)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func story(t *testing.T, status func(n int) int, giveUp time.Duration, tell func(ctx context.Context, space kv.Space, o *event.Outbox, h *hook, clock *jumping)) {
	t.Helper()
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(context.Background())
		engine, err := pebble.InMemory(pebble.Options{})
		if err != nil {
			t.Fatal(err)
		}
		space, err := engine.Open(ctx, "system")
		if err != nil {
			t.Fatal(err)
		}
		clock := new(jumping)
		o := open(ctx, t, space, clock)
		h := &hook{status: status}
		s, err := event.NewSender(o, event.Webhook{URL: "http://hook.example/x?token=hidden", Secret: []byte("hush"), GiveUpAfter: giveUp, Client: &http.Client{Transport: h}})
		if err != nil {
			t.Fatal(err)
		}
		done := make(chan struct{})
		go func() { defer close(done); s.Run(ctx) }()
		tell(ctx, space, o, h, clock)
		cancel()
		<-done
		if err := engine.Close(); err != nil {
			t.Error(err)
		}
	})
}

func commit(t *testing.T, space kv.Space, fill func(b *kv.Batch)) {
	t.Helper()
	if err := space.Update(context.Background(), nil, func(kv.Locked) (*kv.Batch, error) {
		b := new(kv.Batch)
		fill(b)
		return b, nil
	}); err != nil {
		t.Fatal(err)
	}
}

const arn = "arn:aws:healthlake:us-east-1:000000000000:datastore/fhir/00000000000000000000000000000001"

func record(state job.State) job.Record {
	return job.Record{ID: "0000000000000000000000000000000a", Datastore: "00000000000000000000000000000001", State: state, SubmitTime: time.UnixMilli(1_700_000_000_000).UTC()}
}

func TestSender_deliversInOrderThroughFailures(t *testing.T) {
	fails := map[int]int{1: 500, 2: 0, 4: 302}
	story(t, func(n int) int {
		if s, ok := fails[n]; ok {
			return s
		}
		return 204
	}, 0, func(_ context.Context, space kv.Space, o *event.Outbox, h *hook, _ *jumping) {
		commit(t, space, func(b *kv.Batch) { o.Datastore(b, "00000000000000000000000000000001", arn, "ACTIVE") })
		for _, s := range []job.State{job.Submitted, job.InProgress, job.CompletedWithErrors} {
			time.Sleep(time.Millisecond)
			commit(t, space, func(b *kv.Batch) { o.Job(b, record(s), "Export", arn, "s3://out/x/") })
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		want := "aws.healthlake.DataStoreActive aws.healthlake.ExportJobSubmitted aws.healthlake.ExportJobInProgress aws.healthlake.ExportJobCompletedWithErrors"
		if got := strings.Join(h.types(), " "); got != want {
			t.Errorf("taken %s\nwant %s", got, want)
		}
		if !h.sound {
			t.Error("signature or media type is wrong")
		}
		data := h.taken[3]["data"].(map[string]any)
		detail := data["detail"].(map[string]any)
		if h.taken[3]["specversion"] != "1.0" || h.taken[3]["source"] != arn || data["detail-type"] != "Export Job Completed With Errors" ||
			data["source"] != "aws.healthlake" || detail["jobId"] != record("").ID || detail["outputDataConfig"].(map[string]any)["s3Uri"] != "s3://out/x/" ||
			detail["submitTime"] != "2023-11-14T22:13:20Z" {
			t.Errorf("the event is %v", h.taken[3])
		}
		calls := h.calls
		time.Sleep(time.Hour)
		synctest.Wait()
		if h.calls != calls {
			t.Errorf("what was taken was sent again: %d calls after %d", h.calls, calls)
		}
	})
}

func TestSender_givesUpInTheEnd(t *testing.T) {
	refuse := true
	story(t, func(int) int {
		if refuse {
			return 503
		}
		return 200
	}, time.Hour, func(_ context.Context, space kv.Space, o *event.Outbox, h *hook, _ *jumping) {
		commit(t, space, func(b *kv.Batch) { o.Job(b, record(job.Submitted), "Import", arn, "") })
		time.Sleep(70 * time.Minute)
		synctest.Wait()
		h.mu.Lock()
		tried := h.calls
		refuse = false
		h.mu.Unlock()
		commit(t, space, func(b *kv.Batch) { o.Job(b, record(job.Completed), "Import", arn, "") })
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if got := strings.Join(h.types(), " "); got != "aws.healthlake.ImportJobCompleted" {
			t.Errorf("taken %s", got)
		}
		if tried < 15 || tried > 40 {
			t.Errorf("the first event was tried %d times in an hour", tried)
		}
	})
}

// TestSender_tellsAllInOrderWhateverTheClockDoes lets the clock stand, go back and jump days ahead, and the server restart.
func TestSender_tellsAllInOrderWhateverTheClockDoes(t *testing.T) {
	refuse := atomic.Bool{}
	refuse.Store(true)
	story(t, func(int) int {
		if refuse.Load() {
			return 503
		}
		return 200
	}, 0, func(ctx context.Context, space kv.Space, o *event.Outbox, h *hook, clock *jumping) {
		state := func(status string) {
			commit(t, space, func(b *kv.Batch) { o.Datastore(b, "00000000000000000000000000000001", arn, status) })
		}
		state("CREATING")
		state("ACTIVE") // within the same millisecond
		clock.by.Store(int64(-time.Hour))
		state("DELETING")
		time.Sleep(time.Minute)
		o = open(ctx, t, space, clock) // a restart
		state("DELETED")
		clock.by.Store(int64(72 * time.Hour))
		time.Sleep(10 * time.Minute)
		refuse.Store(false)
		time.Sleep(10 * time.Minute)
		synctest.Wait()
		if got := strings.Join(h.types(), " "); got != "aws.healthlake.DataStoreCreating aws.healthlake.DataStoreActive aws.healthlake.DataStoreDeleting aws.healthlake.DataStoreDeleted" {
			t.Errorf("taken %s", got)
		}
	})
}

func TestWebhook_checksItsAddress(t *testing.T) {
	t.Parallel()
	for url, ok := range map[string]bool{"https://example.org/events": true, "http://127.0.0.1:9/": true, "": false, "ftp://x": false, "http://u:p@x/": false, "events": false} {
		if err := (event.Webhook{URL: url}).Check(); (err == nil) != ok {
			t.Errorf("%q: %v", url, err)
		}
	}
}
