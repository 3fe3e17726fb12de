// Package catalog keeps the data stores: it creates, describes, lists, tags and deletes them, and opens what is in
// them. What each looks like lies in rows catalog/ of the system space, what is in it in a space of its own.
//
// A data store is CREATING until its space is there and, with a preload, filled by a job; then ACTIVE. Deleting makes it
// DELETING until a job has dropped the space; then it is DELETED and its row stays, since clients go on asking for it.
// Long works are asked for through Options.Enqueue; the catalog knows no ledger. After a restart Recover takes up what
// was left halfway, and RecoverNowAndThen what stays so.
package catalog

import (
	"context"
	"strings"
	"sync"
	"time"

	"tarn/fault"
	"tarn/kv"
)

// Catalog is all data stores of an account in a Region. It is safe for concurrent use.
type Catalog struct {
	engine kv.Engine
	system kv.Space
	o      Options

	mu     sync.Mutex
	closed bool
	open   map[string]*shelf
}

// Options of a Catalog. Account, Region and PublicURL are required.
type Options struct {
	Account   string // twelve digits
	Region    string
	Partition string // empty: aws
	PublicURL string // base of the endpoints: scheme://host:port, no path
	// Enqueue asks for a long work; durable when it returns nil. Asking again for the same Task must do nothing while it
	// is under way, and begin it anew if it has failed.
	// nil refuses preloads and deletions as fault.Unsupported.
	Enqueue func(context.Context, Task) error
	// OnStatus is told of every status that a data store comes into, its first one too, before the batch that writes it
	// commits; what it adds to the batch commits with it. It must be quick, and may be called for a batch that is never
	// applied. nil: nobody is told.
	OnStatus func(*kv.Batch, Datastore)
	// IndexEpoch is that of the tables by which this program indexes. A data store that was indexed by others is asked to
	// be indexed anew (Reindex) when it is opened, and now and then until it is so; its contents can be used meanwhile.
	IndexEpoch uint32
	Alone      bool             // no other process writes to the engine, see store.Options
	Now        func() time.Time // nil: time.Now
}

// TaskKind names a long work that the catalog needs.
type TaskKind string

// The works that a Catalog asks for.
const (
	// Preload fills a CREATING data store (Catalog.Loading opens it) and ends with Activate or Fail.
	Preload TaskKind = "preload"
	// DeleteDatastore stops what runs in a DELETING data store and ends with Purge.
	DeleteDatastore TaskKind = "delete-datastore"
	// Reindex makes the index entries of a data store anew. Its Token is empty: it is asked for again whenever it is due,
	// and does nothing where it is under way.
	Reindex TaskKind = "reindex"
)

// Task is one long work.
type Task struct {
	Kind      TaskKind
	Datastore string
	Token     string // the same for the same work: an idempotency token of 1 to 64 of a-z, 0-9 and '-'; see Reindex
}

// Open reads the catalog of the system space. Call Recover when Enqueue can be served.
func Open(ctx context.Context, engine kv.Engine, system kv.Space, o Options) (*Catalog, error) {
	const op = "catalog.Open"
	if o.Partition == "" {
		o.Partition = "aws"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	o.PublicURL = strings.TrimRight(o.PublicURL, "/")
	switch {
	case engine == nil || system == nil:
		return nil, fault.Errorf(fault.Internal, op, "no engine")
	case len(o.Account) != 12 || strings.Trim(o.Account, "0123456789") != "":
		return nil, fault.Errorf(fault.Invalid, op, "account %q is not twelve digits", o.Account)
	case o.Region == "" || o.PublicURL == "":
		return nil, fault.Errorf(fault.Invalid, op, "Region and public URL are required")
	}
	return &Catalog{engine: engine, system: system, o: o, open: map[string]*shelf{}}, nil
}

// ARN is the name of a data store for policies: arn:PARTITION:healthlake:REGION:ACCOUNT:datastore/fhir/ID.
func (c *Catalog) ARN(id string) string {
	return "arn:" + c.o.Partition + ":healthlake:" + c.o.Region + ":" + c.o.Account + ":datastore/fhir/" + id
}

// IDFromARN is the id in an ARN of this account and Region; false for any other text.
func (c *Catalog) IDFromARN(arn string) (string, bool) {
	id, ok := strings.CutPrefix(arn, c.ARN(""))
	return id, ok && validID(id)
}

// Endpoint is the base of a data store's FHIR addresses, with a slash at its end.
func (c *Catalog) Endpoint(id string) string { return c.o.PublicURL + "/datastore/" + id + "/r4/" }

// SpaceName is the name of the kv space that holds a data store.
func SpaceName(id string) string { return "ds-" + id }

func validID(id string) bool {
	return len(id) == 32 && strings.Trim(id, "0123456789abcdef") == ""
}
