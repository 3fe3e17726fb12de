// Package faults_test breaks one thing at a time beneath exports and imports: each write of the engine and of the bucket,
// on both sides; the disk, the key, the role and the clock in the middle; and the power. It opens the rooms of the house
// itself, so that it can stand between them.
package faults_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"tarn/access"
	"tarn/access/seal"
	"tarn/account"
	"tarn/catalog"
	"tarn/cloud/cloudtest"
	"tarn/cloud/local"
	"tarn/event"
	"tarn/export"
	"tarn/fhir"
	"tarn/fhir/r4"
	"tarn/ingest"
	"tarn/interaction"
	"tarn/job"
	"tarn/kv"
	"tarn/kv/kvtest"
	"tarn/kv/pebble"
	"tarn/kv/postgres"
	"tarn/store"
)

const (
	accountID = "012345678910"
	bucket    = "bucket"
	roleName  = "worker"
	roleARN   = "arn:aws:iam::" + accountID + ":role/" + roleName
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// databases is the PostgreSQL of all houses, where kvtest.Engine asks for it.
var databases kvtest.Postgres

func TestMain(m *testing.M) {
	code := m.Run()
	databases.Stop()
	os.Exit(code)
}

// house is everything that jobs need, on one file system in memory that forgets what was not synced, or with its rows in
// PostgreSQL.
type house struct {
	t        *testing.T
	disk     *disk
	database string // empty: the rows are on the disk too
	writes   *kvtest.Faulty
	puts     *cloudtest.Faulty
	accounts *account.Accounts
	cloud    *local.Cloud
	ledger   *job.Ledger
	catalog  *catalog.Catalog
	exports  *export.Service
	imports  *ingest.Service
	bundles  *interaction.Service
	behind   *interaction.Background
	outbox   *event.Outbox
	closers  []func() error

	data     catalog.Datastore
	key      local.KeyMetadata
	skew     atomic.Int64 // how far the clock is off
	patients int          // lines of the first file of an import
}

// Lines of an input's files: few, or enough for an import that is alone in its data store to load them as sorted data.
const (
	few  = 60
	many = 2200
)

// build makes a house with a data store, a bucket, a key and a role.
func build(t *testing.T) *house {
	t.Helper()
	database := ""
	if kvtest.PostgresWanted(t) {
		database = databases.Database(t)
	}
	return buildOn(t, database)
}

// buildOn is build with the rows in a database, unless that is empty.
func buildOn(t *testing.T, database string) *house {
	t.Helper()
	h := &house{t: t, disk: newDisk(vfs.NewCrashableMem()), database: database, patients: few}
	h.open()
	ctx := t.Context()
	var err error
	h.data, err = h.catalog.Create(ctx, catalog.CreateRequest{Name: "hospital", TypeVersion: "R4"})
	must(t, err)
	h.key, err = h.root().CreateKey(ctx, local.KeyRequest{})
	must(t, err)
	_, err = h.root().CreateBucket(ctx, bucket, "", "")
	must(t, err)
	must(t, h.root().PutBucketEncryption(ctx, bucket, local.BucketEncryption{Algorithm: local.SSEKMS, KMSKeyID: h.key.ARN}))
	_, err = h.accounts.Create(ctx, account.NewEntity{Kind: account.Role, Name: roleName, Trust: fmt.Sprintf(
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":["healthlake.amazonaws.com"]},"Action":"sts:AssumeRole",
		"Condition":{"StringEquals":{"aws:SourceAccount":%q},"ArnEquals":{"aws:SourceArn":%q}}}]}`, accountID, h.data.ARN)})
	must(t, err)
	h.permit("")
	return h
}

// again is the house after the power came back: another one on what the file system remembers.
func (h *house) again(fs *vfs.MemFS) *house {
	h.t.Helper()
	next := &house{t: h.t, disk: newDisk(fs), data: h.data, key: h.key, patients: h.patients}
	next.open()
	return next
}

func (h *house) open() {
	t, ctx := h.t, h.t.Context()
	t.Helper()
	inner, err := h.engine(ctx)
	must(t, err)
	h.closers = append(h.closers, inner.Close)
	h.writes = kvtest.NewFaulty(inner)
	system, err := h.writes.Open(ctx, "system")
	must(t, err)
	sealer, err := seal.New(bytes.Repeat([]byte{7}, seal.MasterSize))
	must(t, err)
	h.accounts, err = account.Open(ctx, system, account.Options{Account: accountID, Sealer: sealer, Now: h.now})
	must(t, err)
	h.cloud, err = local.Open(ctx, local.Options{Space: system, Dir: "/house/cloud", Disk: h.disk, Sealer: sealer, Directory: h.accounts, Account: accountID, Now: h.now})
	must(t, err)
	h.closers = append(h.closers, h.cloud.Close)
	h.puts = cloudtest.NewFaulty(h.cloud)
	h.outbox, err = event.Open(ctx, system, event.Origin{Account: accountID, Region: "us-east-1"}, h.now)
	must(t, err)
	h.ledger, err = job.Open(ctx, system, job.Options{Now: h.now, OnState: h.event})
	must(t, err)
	h.catalog, err = catalog.Open(ctx, h.writes, system, catalog.Options{Account: accountID, Region: "us-east-1", PublicURL: "http://tarn.test", Now: h.now,
		Enqueue: func(context.Context, catalog.Task) error { return nil }})
	must(t, err)
	h.closers = append(h.closers, h.catalog.Close)
	h.exports = export.New(export.Options{Datastores: h.catalog, Ledger: h.ledger, Cloud: h.puts, Workers: 1, Clock: job.NewClock(h.now, nil)})
	h.imports = ingest.New(ingest.Options{Datastores: h.catalog, Ledger: h.ledger, Cloud: h.puts})
	h.bundles = interaction.New(h.catalog, fhir.Limits{})
	h.bundles.SetNow(h.now)
	h.behind = interaction.NewBackground(h.bundles, h.ledger)
	t.Cleanup(h.close)
}

func (h *house) engine(ctx context.Context) (kv.Engine, error) {
	if h.database != "" {
		return postgres.Open(ctx, h.database, postgres.Options{Conns: 8})
	}
	return pebble.Open("/house/store", pebble.Options{FS: h.disk.engine()})
}

// onDisk skips a test that does to the rows what only their file system can do.
func onDisk(t *testing.T) {
	t.Helper()
	if kvtest.PostgresWanted(t) {
		t.Skip("left out: the rows lie in PostgreSQL, whose disk is its own affair")
	}
}

func (h *house) close() {
	for len(h.closers) > 0 {
		last := len(h.closers) - 1
		f := h.closers[last]
		h.closers = h.closers[:last]
		must(h.t, f())
	}
}

func (h *house) now() time.Time { return time.Now().Add(time.Duration(h.skew.Load())) }

func (h *house) root() *local.Session {
	p := access.RootOf(accountID)
	g, err := h.accounts.Grant(context.Background(), p)
	must(h.t, err)
	return h.cloud.As(local.Caller{Principal: p, Grant: g})
}

// permit gives the role what jobs need, without one action.
func (h *house) permit(without string) {
	h.t.Helper()
	list := func(actions ...string) string {
		quoted := []string{`"sts:GetCallerIdentity"`} // a statement needs an action
		for _, a := range actions {
			if a != without {
				quoted = append(quoted, `"`+a+`"`)
			}
		}
		return strings.Join(quoted, ",")
	}
	must(h.t, h.accounts.PutInline(context.Background(), account.Holder{Kind: account.Role, Name: roleName}, "work", fmt.Sprintf(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":[%s],"Resource":["arn:aws:s3:::%s"]},
		{"Effect":"Allow","Action":[%s],"Resource":["arn:aws:s3:::%s/*"]},
		{"Effect":"Allow","Action":[%s],"Resource":[%q]}]}`,
		list("s3:ListBucket", "s3:GetBucketPublicAccessBlock", "s3:GetEncryptionConfiguration"), bucket, list("s3:PutObject", "s3:GetObject"), bucket,
		list("kms:DescribeKey", "kms:GenerateDataKey*", "kms:Decrypt"), h.key.ARN)))
}

// put stores resources TYPE/PREFIX-N for N in [0, n).
func (h *house) put(typ, prefix string, n int) {
	h.t.Helper()
	s, err := h.catalog.Store(h.t.Context(), h.data.ID)
	must(h.t, err)
	p := fhir.NewParser(fhir.Limits{})
	var tx store.Transaction
	for i := range n {
		id := fmt.Sprintf("%s-%d", prefix, i)
		r, err := p.Parse(fmt.Appendf(nil, `{"resourceType":%q,"id":%q,"language":"en-%d"}`, typ, id, i))
		must(h.t, err)
		tx.Writes = append(tx.Writes, store.Write{Op: store.Put, Type: r.Code(), ID: id, Resource: r})
		if len(tx.Writes) == 1000 || i == n-1 {
			_, err := s.Commit(h.t.Context(), tx)
			must(h.t, err)
			tx.Writes = nil
		}
	}
}

// startExport starts an export, and again where it failed: the token makes one job of both.
func (h *house) startExport(token string) job.Record {
	h.t.Helper()
	return again(h.t, func() (job.Record, error) {
		return h.exports.Start(h.t.Context(), export.Request{Datastore: h.data.ID, DatastoreARN: h.data.ARN, RoleARN: roleARN,
			S3Uri: "s3://" + bucket + "/out", KMSKeyID: h.key.ARN, ClientToken: token})
	})
}

// startImport starts an import of what lies below in/NAME/.
func (h *house) startImport(name string) job.Record {
	h.t.Helper()
	return again(h.t, func() (job.Record, error) {
		return h.imports.Start(h.t.Context(), ingest.Request{Datastore: h.data.ID, DatastoreARN: h.data.ARN, RoleARN: roleARN,
			InputS3Uri: "s3://" + bucket + "/in/" + name + "/", OutputS3Uri: "s3://" + bucket + "/log", KMSKeyID: h.key.ARN, ClientToken: name})
	})
}

func again(t *testing.T, start func() (job.Record, error)) job.Record {
	t.Helper()
	rec, err := start()
	if err != nil {
		rec, err = start()
	}
	must(t, err)
	return rec
}

// run works off the queue until no job is left, as one life of the server, and lets the ledger's own writes fail too.
func (h *house) run() {
	h.t.Helper()
	ctx, stop := context.WithCancel(h.t.Context())
	defer stop()
	r := job.NewRunner(h.ledger, job.RunnerOptions{Kinds: map[job.Kind]job.Work{export.Kind: h.exports.Work(), ingest.Import: h.imports.ImportWork(),
		interaction.TransactionKind: h.behind.Work()}})
	done := make(chan error, 1)
	go func() { done <- r.Run(ctx) }()
	for deadline := time.After(24 * time.Hour); ; {
		changed := h.ledger.Changed()
		active, err := h.ledger.Active(ctx, "")
		if err == nil && len(active) == 0 {
			break
		}
		select {
		case <-changed:
		case <-time.After(time.Minute):
		case <-deadline:
			h.t.Fatalf("the jobs do not end: %+v, %v", active, err)
		}
	}
	stop()
	if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
		h.t.Fatal(err)
	}
}

func (h *house) describe(rec job.Record) job.Record {
	h.t.Helper()
	got, err := h.ledger.Describe(h.t.Context(), h.data.ID, rec.ID)
	must(h.t, err)
	return got
}

// below reads what lies below a prefix of the bucket.
func (h *house) below(prefix string) map[string]string {
	h.t.Helper()
	all := map[string]string{}
	for after := ""; ; {
		page, err := h.root().ListObjects(h.t.Context(), local.ListRequest{Bucket: bucket, Prefix: prefix, After: after, Max: 1000})
		must(h.t, err)
		for _, o := range page.Objects {
			obj, err := h.root().GetObject(h.t.Context(), bucket, o.Key)
			must(h.t, err)
			r, err := obj.Open(h.t.Context(), 0, obj.Size)
			must(h.t, err)
			b, err := io.ReadAll(r)
			must(h.t, errors.Join(err, r.Close(), obj.Close()))
			all[strings.TrimPrefix(o.Key, prefix)] = string(b)
			after = o.Key
		}
		if len(page.Objects) < 1000 {
			return all
		}
	}
}

// upload puts an object into the bucket.
func (h *house) upload(key, text string) {
	h.t.Helper()
	_, err := h.root().PutObject(h.t.Context(), local.PutRequest{Bucket: bucket, Key: key, Body: strings.NewReader(text), Size: int64(len(text))})
	must(h.t, err)
}

func codeOf(name string) r4.Code {
	c, _ := r4.CodeOf(name)
	return c
}
