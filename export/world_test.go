package export_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"strings"
	"sync"
	"testing"
	"time"

	"tarn/access"
	"tarn/access/seal"
	"tarn/account"
	"tarn/catalog"
	"tarn/cloud"
	"tarn/cloud/local"
	"tarn/export"
	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/index"
	"tarn/job"
	"tarn/kv"
	"tarn/kv/kvtest"
	"tarn/kv/pebble"
	"tarn/store"
)

const (
	accountID = "012345678910"
	region    = "us-east-1"
	bucket    = "export-out"
	roleName  = "exporter"
	roleARN   = "arn:aws:iam::" + accountID + ":role/" + roleName
)

// snapshots is how many a world has room for.
const snapshots = 16

// world is everything that an export needs, in memory but for the objects.
type world struct {
	t        *testing.T
	accounts *account.Accounts
	cloud    *local.Cloud
	catalog  *catalog.Catalog
	ledger   *job.Ledger
	faults   *faultyCloud
	exports  *export.Service
	data     catalog.Datastore
	engine   kv.Engine
	key      local.KeyMetadata
}

// newWorld makes a data store, and bucket, key and role as the export guide has them.
func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldOf(t, export.Options{})
}

// newWorldOf is newWorld with a service of these options.
func newWorldOf(t *testing.T, o export.Options) *world {
	t.Helper()
	ctx := t.Context()
	inner, err := pebble.InMemory(pebble.Options{})
	must(t, err)
	engine := kvtest.NewNarrow(inner, snapshots, 30*time.Second)
	t.Cleanup(func() { must(t, engine.Close()) })
	system, err := engine.Open(ctx, "system")
	must(t, err)
	sealer, err := seal.New(bytes.Repeat([]byte{7}, seal.MasterSize))
	must(t, err)
	w := &world{t: t, engine: engine}
	w.accounts, err = account.Open(ctx, system, account.Options{Account: accountID, Sealer: sealer})
	must(t, err)
	w.cloud, err = local.Open(ctx, local.Options{Space: system, Dir: t.TempDir(), Sealer: sealer, Directory: w.accounts, Account: accountID, Region: region})
	must(t, err)
	t.Cleanup(func() { must(t, w.cloud.Close()) })
	var now func() time.Time
	if o.Clock != nil {
		now = o.Clock.Wall
	}
	w.ledger, err = job.Open(ctx, system, job.Options{Now: now})
	must(t, err)
	w.catalog, err = catalog.Open(ctx, engine, system, catalog.Options{Account: accountID, Region: region, PublicURL: "http://tarn.test", IndexEpoch: index.Epoch,
		Enqueue: func(context.Context, catalog.Task) error { return nil }})
	must(t, err)
	t.Cleanup(func() { must(t, w.catalog.Close()) })
	w.faults = &faultyCloud{Cloud: w.cloud}
	o.Datastores, o.Ledger, o.Cloud = w.catalog, w.ledger, w.faults
	w.exports = export.New(o)

	w.data, err = w.catalog.Create(ctx, catalog.CreateRequest{Name: "hospital", TypeVersion: "R4"})
	must(t, err)
	w.key, err = w.root().CreateKey(ctx, local.KeyRequest{})
	must(t, err)
	_, err = w.root().CreateBucket(ctx, bucket, "", "")
	must(t, err)
	must(t, w.root().PutBucketEncryption(ctx, bucket, local.BucketEncryption{Algorithm: local.SSEKMS, KMSKeyID: w.key.ARN}))
	_, err = w.accounts.Create(ctx, account.NewEntity{Kind: account.Role, Name: roleName, Trust: w.trust("healthlake.amazonaws.com", accountID, w.data.ARN)})
	must(t, err)
	w.permit(w.permissions(""))
	return w
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) root() *local.Session {
	p := access.RootOf(accountID)
	g, err := w.accounts.Grant(w.t.Context(), p)
	must(w.t, err)
	return w.cloud.As(local.Caller{Principal: p, Grant: g})
}

func (w *world) trust(service, account, source string) string {
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":[%q]},"Action":"sts:AssumeRole",
		"Condition":{"StringEquals":{"aws:SourceAccount":%q},"ArnEquals":{"aws:SourceArn":%q}}}]}`, service, account, source)
}

// permissions is the guide's permission policy without one of its actions.
func (w *world) permissions(without string) string {
	list := func(actions ...string) string {
		var quoted []string
		for _, a := range actions {
			if a != without {
				quoted = append(quoted, `"`+a+`"`)
			}
		}
		if quoted == nil {
			quoted = []string{`"sts:GetCallerIdentity"`} // a statement needs an action
		}
		return strings.Join(quoted, ",")
	}
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":[%s],"Resource":["arn:aws:s3:::%s"]},
		{"Effect":"Allow","Action":[%s],"Resource":["arn:aws:s3:::%s/*"]},
		{"Effect":"Allow","Action":[%s],"Resource":[%q]}]}`,
		list("s3:ListBucket", "s3:GetBucketPublicAccessBlock", "s3:GetEncryptionConfiguration"), bucket, list("s3:PutObject"), bucket,
		list("kms:DescribeKey", "kms:GenerateDataKey*"), w.key.ARN)
}

func (w *world) permit(document string) {
	w.t.Helper()
	must(w.t, w.accounts.PutInline(w.t.Context(), account.Holder{Kind: account.Role, Name: roleName}, "export", document))
}

func (w *world) request() export.Request {
	return export.Request{Datastore: w.data.ID, DatastoreARN: w.data.ARN, RoleARN: roleARN, S3Uri: "s3://" + bucket + "/out", KMSKeyID: w.key.ARN}
}

func (w *world) store() *store.Store {
	w.t.Helper()
	s, err := w.catalog.Store(w.t.Context(), w.data.ID)
	must(w.t, err)
	return s
}

// put writes resources TYPE/id-N for N in [from, to).
func (w *world) put(typ string, from, to int, note string) {
	w.t.Helper()
	p := fhir.NewParser(fhir.Limits{})
	for from < to {
		var tx store.Transaction
		for ; from < to && len(tx.Writes) < 1000; from++ {
			id := fmt.Sprintf("id-%d", from)
			r, err := p.Parse(fmt.Appendf(nil, `{"resourceType":%q,"id":%q,"language":%q,"text":{"n":1.0,"m":0.047821600000000004}}`, typ, id, note))
			must(w.t, err)
			tx.Writes = append(tx.Writes, store.Write{Op: store.Put, Type: r.Code(), ID: id, Resource: r})
		}
		_, err := w.store().Commit(w.t.Context(), tx)
		must(w.t, err)
	}
}

// run works off the queue until no job is left, as one start of the server.
func (w *world) run() {
	w.t.Helper()
	ctx, stop := context.WithTimeout(w.t.Context(), time.Minute)
	defer stop()
	done := make(chan error, 1)
	work, drain := context.WithCancelCause(ctx)
	r := job.NewRunner(w.ledger, job.RunnerOptions{Kinds: map[job.Kind]job.Work{export.Kind: w.exports.Work()}, Attempts: 2})
	go func() { done <- r.Run(work) }()
	for {
		changed := w.ledger.Changed()
		page, err := w.ledger.List(ctx, job.ListFilter{})
		must(w.t, err)
		open := 0
		for _, j := range page.Jobs {
			if !j.State.Terminal() {
				open++
			}
		}
		if open == 0 {
			break
		}
		select {
		case <-changed:
		case <-ctx.Done():
			w.t.Fatal("the jobs do not end")
		}
	}
	drain(job.ErrDrain)
	if err := <-done; err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, job.ErrDrain) {
		w.t.Fatal(err)
	}
}

// describe is the job's record.
func (w *world) describe(id string) job.Record {
	w.t.Helper()
	rec, err := w.ledger.Describe(w.t.Context(), w.data.ID, id)
	must(w.t, err)
	return rec
}

// objects reads the whole bucket as its owner does: key -> bytes.
func (w *world) objects() map[string][]byte {
	w.t.Helper()
	all := map[string][]byte{}
	page, err := w.root().ListObjects(w.t.Context(), local.ListRequest{Bucket: bucket, Max: 1000})
	must(w.t, err)
	for _, o := range page.Objects {
		obj, err := w.root().GetObject(w.t.Context(), bucket, o.Key)
		must(w.t, err)
		r, err := obj.Open(w.t.Context(), 0, obj.Size)
		must(w.t, err)
		b, err := io.ReadAll(r)
		must(w.t, errors.Join(err, r.Close(), obj.Close()))
		all[o.Key] = b
	}
	return all
}

// folder is a map of objects as export.Verify reads it.
type folder map[string][]byte

func (f folder) Open(_ context.Context, name string) (io.ReadCloser, error) {
	b, ok := f[name]
	if !ok {
		return nil, fault.Errorf(fault.NotFound, "test", "no %s", name)
	}
	return io.NopCloser(bytes.NewReader(b)), nil
}

func (f folder) Names(context.Context) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for name := range f {
			if !yield(name, nil) {
				return
			}
		}
	}
}

// folder is the job's folder of the bucket.
func (w *world) folder(id string) folder {
	f := folder{}
	prefix := "out/" + export.Folder(w.data.ID, id)
	for key, b := range w.objects() {
		if name, ok := strings.CutPrefix(key, prefix); ok {
			f[name] = b
		}
	}
	return f
}

// faultyCloud is a cloud whose puts can be made to fail.
type faultyCloud struct {
	cloud.Cloud
	mu   sync.Mutex
	puts int
	// fail says for the n-th put, from 1, whether it fails before it does anything or after it did all.
	fail func(n int, key string) (before, after error)
	// read, unless nil, is what a put does with its body before it puts it.
	read func(ctx context.Context, body io.Reader) error
}

func (c *faultyCloud) Assume(ctx context.Context, a cloud.Assumption) (cloud.Role, error) {
	r, err := c.Cloud.Assume(ctx, a)
	if r == nil {
		return nil, err
	}
	return faultyRole{r, c}, err
}

type faultyRole struct {
	cloud.Role
	c *faultyCloud
}

func (r faultyRole) Bucket(name string) cloud.Bucket { return faultyBucket{r.Role.Bucket(name), r.c} }

type faultyBucket struct {
	cloud.Bucket
	c *faultyCloud
}

func (b faultyBucket) Put(ctx context.Context, key string, body io.ReadSeeker, size int64, o cloud.PutOptions) error {
	b.c.mu.Lock()
	b.c.puts++
	n, fail := b.c.puts, b.c.fail
	b.c.mu.Unlock()
	var before, after error
	if fail != nil {
		before, after = fail(n, key)
	}
	if before != nil {
		return before
	}
	if read := b.c.read; read != nil {
		if err := read(ctx, body); err != nil {
			return err
		}
		if _, err := body.Seek(0, io.SeekStart); err != nil {
			return err
		}
	}
	return errors.Join(b.Bucket.Put(ctx, key, body, size, o), after)
}

// empty deletes all objects of the bucket.
func (w *world) empty() {
	w.t.Helper()
	for key := range w.objects() {
		must(w.t, w.root().DeleteObject(w.t.Context(), bucket, key))
	}
}
