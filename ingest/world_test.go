package ingest_test

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"tarn/cloud"
	"tarn/fault"
	"tarn/fhir"
	"tarn/ingest"
	"tarn/job"
	"tarn/kv/kvtest"
	"tarn/kv/pebble"
	"tarn/store"
)

// memory is a cloud with one bucket that allows everything. Hooks may stand before each put and get.
type memory struct {
	mu      sync.Mutex
	objects map[string][]byte
	onPut   func(key string) (before, after error)
	onGet   func(key string)
	noRole  error
	onRead  func() // each read of a put's or a get's body
	cutGet  int    // of a get's bytes, so many are not sent; once
}

func (m *memory) Account() string { return "000000000000" }
func (m *memory) Region() string  { return "us-east-1" }

func (*memory) Own(context.Context) (cloud.OwnBucket, error) {
	return nil, fault.Errorf(fault.Unsupported, "test", "imports keep nothing")
}
func (m *memory) Assume(context.Context, cloud.Assumption) (cloud.Role, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.noRole != nil {
		return nil, m.noRole
	}
	return memoryRole{m}, nil
}

// denies lets roles be had no more, or with nil again.
func (m *memory) denies(why error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.noRole = why
}

func (m *memory) set(key, text string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.objects[key] = []byte(text)
}

func (m *memory) remove(key string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.objects, key)
}

// mend lets puts succeed again, while others are under way.
func (m *memory) mend() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.onPut = nil
}

type memoryRole struct{ m *memory }

func (r memoryRole) ARN() string                { return "arn:aws:sts::000000000000:assumed-role/r/s" }
func (r memoryRole) Bucket(string) cloud.Bucket { return memoryBucket(r) }
func (r memoryRole) Key(id string) cloud.Key    { return memoryKey(id) }

type memoryKey string

func (k memoryKey) Describe(context.Context) (cloud.KeyInfo, error) {
	return cloud.KeyInfo{ARN: "arn:" + string(k), Manager: "CUSTOMER", State: "Enabled", Spec: "SYMMETRIC_DEFAULT", Usage: "ENCRYPT_DECRYPT"}, nil
}
func (memoryKey) MayGenerateDataKey(context.Context) error { return nil }

type memoryBucket struct{ m *memory }

func (memoryBucket) Region(context.Context) (string, error) { return "us-east-1", nil }
func (memoryBucket) PublicAccessBlock(context.Context) (cloud.PublicAccessBlock, error) {
	return cloud.PublicAccessBlock{BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true}, nil
}
func (memoryBucket) Encryption(context.Context) (cloud.Encryption, error) {
	return cloud.Encryption{Algorithm: "aws:kms"}, nil
}
func (memoryBucket) MayPut(context.Context, string, cloud.PutOptions) error { return nil }
func (memoryBucket) MayGet(context.Context, string) error                   { return nil }

func (b memoryBucket) Put(_ context.Context, key string, body io.ReadSeeker, size int64, _ cloud.PutOptions) error {
	var before, after error
	b.m.mu.Lock()
	onPut := b.m.onPut
	b.m.mu.Unlock()
	if onPut != nil {
		before, after = onPut(key)
	}
	if before != nil {
		return before
	}
	var text []byte
	for range 2 { // a retry reads it again
		if _, err := body.Seek(0, io.SeekStart); err != nil {
			return err
		}
		var err error
		if text, err = io.ReadAll(reading{body, b.m.onRead}); err != nil {
			return err
		}
	}
	if int64(len(text)) != size {
		return fault.Errorf(fault.Internal, "test", "the body has %d bytes, it was said to have %d", len(text), size)
	}
	b.m.set(key, string(text))
	return after
}

func (b memoryBucket) Get(_ context.Context, key string, offset, n int64) (io.ReadCloser, error) {
	if b.m.onGet != nil {
		b.m.onGet(key)
	}
	b.m.mu.Lock()
	defer b.m.mu.Unlock()
	text, ok := b.m.objects[key]
	switch {
	case !ok:
		return nil, &cloud.Error{Kind: fault.NotFound, Code: "NoSuchKey", Msg: "no such key"}
	case offset > int64(len(text)):
		return nil, &cloud.Error{Kind: fault.Invalid, Code: "InvalidRange", Msg: "no such range"}
	}
	text = text[offset:]
	if n >= 0 {
		text = text[:min(n, int64(len(text)))]
	}
	text = text[:len(text)-b.m.cutGet]
	b.m.cutGet = 0
	return io.NopCloser(reading{bytes.NewReader(text), b.m.onRead}), nil
}

// reading calls a hook before each read.
type reading struct {
	io.Reader
	hook func()
}

func (r reading) Read(p []byte) (int, error) {
	if r.hook != nil {
		r.hook()
	}
	return r.Reader.Read(p)
}

func (b memoryBucket) List(_ context.Context, prefix string) iter.Seq2[cloud.Object, error] {
	return func(yield func(cloud.Object, error) bool) {
		b.m.mu.Lock()
		all := maps.Clone(b.m.objects)
		b.m.mu.Unlock()
		for _, key := range slices.Sorted(maps.Keys(all)) {
			if strings.HasPrefix(key, prefix) && !yield(cloud.Object{Key: key, Size: int64(len(all[key])), ETag: fmt.Sprintf("%x", md5.Sum(all[key]))}, nil) {
				return
			}
		}
	}
}

// world is a service over one data store, on an engine whose writes can fail.
type world struct {
	t      *testing.T
	faults *kvtest.Faulty
	cloud  *memory
	ledger *job.Ledger
	data   *store.Store
	svc    *ingest.Service
	gone   error    // why the data store cannot be had
	failed []string // what was told of its creation
}

const datastore = "0123456789abcdef0123456789abcdef"

func (w *world) Store(context.Context, string) (*store.Store, error) {
	if w.gone != nil {
		return nil, w.gone
	}
	return w.data, nil
}
func (w *world) Loading(context.Context, string) (*store.Store, error) { return w.data, nil }
func (w *world) Activate(context.Context, string) error                { return nil }
func (w *world) Fail(_ context.Context, _, message string, retryable bool) error {
	w.failed = append(w.failed, fmt.Sprint(message, " ", retryable))
	return nil
}
func (w *world) Purge(context.Context, string) error { return nil }

// newWorld has room for one snapshot: whoever holds one while waiting for another fails.
func newWorld(t *testing.T) *world {
	t.Helper()
	inner, err := pebble.InMemory(pebble.Options{})
	must(t, err)
	t.Cleanup(func() { must(t, inner.Close()) })
	w := &world{t: t, faults: kvtest.NewFaulty(kvtest.NewNarrow(inner, 1, time.Minute)), cloud: &memory{objects: map[string][]byte{}}}
	system, err := w.faults.Open(t.Context(), "system")
	must(t, err)
	space, err := w.faults.Open(t.Context(), "ds-"+datastore)
	must(t, err)
	w.ledger, err = job.Open(t.Context(), system, job.Options{})
	must(t, err)
	w.data, err = store.Open(t.Context(), space, store.Options{})
	must(t, err)
	t.Cleanup(func() { must(t, w.data.Close()) })
	w.svc = ingest.New(ingest.Options{Datastores: w, Ledger: w.ledger, Cloud: w.cloud,
		List: func(context.Context) ([]string, error) { return []string{datastore}, nil }})
	return w
}

func (w *world) request() ingest.Request {
	return ingest.Request{Datastore: datastore, InputS3Uri: "s3://bucket/in", OutputS3Uri: "s3://bucket/in/log", KMSKeyID: "k"}
}

func (w *world) start() job.Record {
	w.t.Helper()
	rec, err := w.svc.Start(w.t.Context(), w.request())
	must(w.t, err)
	return rec
}

func (w *world) runner() *job.Runner {
	return job.NewRunner(w.ledger, job.RunnerOptions{Kinds: map[job.Kind]job.Work{ingest.Import: w.svc.ImportWork(), ingest.Reindex: w.svc.ReindexWork(), ingest.Preload: w.svc.PreloadWork()}, Attempts: 3})
}

// work runs jobs until none is left, as one start of the server.
func (w *world) work() {
	w.t.Helper()
	ctx, stop := context.WithCancel(w.t.Context())
	r := w.runner()
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	for deadline := time.After(time.Hour); ; {
		changed := w.ledger.Changed()
		if active, err := w.ledger.Active(ctx, ""); err == nil && len(active) == 0 {
			break
		}
		select {
		case <-changed:
		case <-deadline:
			w.t.Fatal("the jobs do not end")
		}
	}
	stop()
	must(w.t, <-done)
}

func (w *world) describe(rec job.Record) job.Record {
	w.t.Helper()
	got, err := w.ledger.Describe(w.t.Context(), datastore, rec.ID)
	must(w.t, err)
	return got
}

// versions is every resource with its version number.
func (w *world) versions() map[string]uint64 {
	w.t.Helper()
	v, err := w.data.Latest(w.t.Context())
	must(w.t, err)
	defer v.Close()
	all := map[string]uint64{}
	types, err := v.Types(w.t.Context())
	must(w.t, err)
	for _, code := range types {
		census, err := v.Census(w.t.Context(), code)
		must(w.t, err)
		scan := v.Scan(w.t.Context(), code, 0, census.Next)
		for scan.Next() {
			all[code.String()+"/"+scan.Version().ID] = scan.Version().Number
		}
		must(w.t, scan.Err())
		must(w.t, scan.Close())
	}
	return all
}

// output is what a job wrote, below its folder; the job's own id is replaced.
func (w *world) output(rec job.Record) map[string]string {
	w.cloud.mu.Lock()
	defer w.cloud.mu.Unlock()
	all := map[string]string{}
	for key, text := range w.cloud.objects {
		if name, ok := strings.CutPrefix(key, "in/log/"+ingest.Folder(datastore, rec.ID)); ok {
			all[name] = strings.ReplaceAll(string(text), rec.ID, "JOB")
		}
	}
	return all
}

// riders counts the rows of imports that are left in the data store, places apart.
func (w *world) riders() (pieces int) {
	w.t.Helper()
	for r, err := range w.data.Riders(w.t.Context(), []byte("import/")) {
		must(w.t, err)
		if !bytes.HasSuffix(r.Key, []byte("/place")) {
			pieces++
		}
	}
	return pieces
}

func patient(id string) string { return `{"resourceType":"Patient","id":"` + id + `"}` + "\n" }

func asJSON(v any) string {
	b, _ := json.Marshal(v)
	return string(b)
}

func parse(text string) (fhir.Resource, error) {
	return fhir.NewParser(fhir.Limits{}).Parse([]byte(text))
}
