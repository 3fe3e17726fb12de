package job

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"tarn/fault"
	"tarn/kv"
)

// Ledger is the book of all jobs, in the rows job/ of the system space. It is safe for concurrent use.
type Ledger struct {
	space   kv.Space
	now     func() time.Time
	onState func(*kv.Batch, Record)

	mu      sync.Mutex
	changed chan struct{}
}

// Options of a Ledger.
type Options struct {
	Now func() time.Time // for submit, start and end times; nil: time.Now
	// OnState is told of every state that a job comes into, its first one too, before the batch that writes it commits;
	// what it adds to the batch commits with it. It must be quick, and may be called for a batch that is never applied.
	OnState func(*kv.Batch, Record)
}

// Open returns the ledger in the system space. There is nothing to close.
func Open(ctx context.Context, space kv.Space, o Options) (*Ledger, error) {
	if space == nil {
		return nil, fault.Errorf(fault.Internal, "job.Open", "no space")
	}
	l := &Ledger{space: space, now: o.Now, onState: o.OnState, changed: make(chan struct{})}
	if l.now == nil {
		l.now = time.Now
	}
	snap, err := space.Snapshot(ctx)
	if err != nil {
		return nil, fault.Wrap("job.Open", err)
	}
	defer snap.Close()
	got, err := snap.Get(ctx, seqKey())
	if err != nil {
		return nil, fault.Wrap("job.Open", err)
	}
	if _, err := decode(got[0], new(sequence), "the ledger's sequence"); err != nil {
		return nil, err
	}
	return l, nil
}

// Changed is closed at the next change of any job's state made through this Ledger. Take it before you look, so that
// no change is missed.
func (l *Ledger) Changed() <-chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.changed
}

func (l *Ledger) broadcast() {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.changed)
	l.changed = make(chan struct{})
}

// Enqueue queues a job in state SUBMITTED, durably when it returns nil. reused says that New.ClientToken had been used
// for the same request before, and the record is that job as it is now. Errors: fault.Invalid (malformed, or the token
// was used for another request), fault.Exists (the given ID), fault.Throttled (the queue is full).
func (l *Ledger) Enqueue(ctx context.Context, n New) (rec Record, reused bool, err error) {
	const op = "job.Enqueue"
	if err := n.check(); err != nil {
		return Record{}, false, err
	}
	id := n.ID
	if id == "" {
		if id, err = NewID(); err != nil {
			return Record{}, false, err
		}
	}
	if n.MaxWaiting <= 0 {
		n.MaxWaiting = DefaultMaxWaiting
	}
	lock := [][]byte{seqKey(), queueKey(n.Kind, n.Datastore), recordKey(id)}
	if n.ClientToken != "" {
		lock = append(lock, tokenKey(n.Kind, n.ClientToken))
	}
	err = l.space.Update(ctx, lock, func(tx kv.Locked) (*kv.Batch, error) {
		if n.ClientToken != "" {
			r, params, err := l.reuse(ctx, tx, tx.Values[3], n.Kind, n.Datastore, n.Fingerprint)
			if err != nil {
				return nil, err
			}
			if r != nil && !(n.Again && r.State.Terminal() && r.State != Completed && r.State != CompletedWithErrors) {
				rec, reused = r.record(params), true
				return nil, nil
			}
		}
		if tx.Values[2] != nil {
			return nil, fault.Errorf(fault.Exists, op, "There is a job %s already.", id)
		}
		q, err := decodeQueue(tx.Values[1], n.Kind, n.Datastore)
		if err != nil {
			return nil, err
		}
		room := n.MaxWaiting
		if q.Running == nil {
			room++ // the first of them runs at once
		}
		if waiting := q.live(); waiting >= room {
			return nil, fault.WithHint(
				fault.Errorf(fault.Throttled, op, "The queue is full: %d %s jobs of data store %s wait already.", n.MaxWaiting, n.Kind, n.Datastore),
				"Start the job again when one of them has ended.")
		}
		seq := sequence{}
		if _, err := decode(tx.Values[0], &seq, "the ledger's sequence"); err != nil {
			return nil, err
		}
		seq.Format = format
		seq.Seq++
		seq.Submitted = max(seq.Submitted, l.now().UnixMilli())

		r := &row{Format: format, ID: id, Datastore: n.Datastore, Kind: n.Kind, Name: n.Name, State: Submitted,
			Submitted: seq.Submitted, Seq: seq.Seq, ClientToken: n.ClientToken}
		q.Waiting = append(q.Waiting, place{ID: id, Seq: seq.Seq})

		b := new(kv.Batch)
		b.Set(seqKey(), encode(seq))
		b.Set(recordKey(id), encode(r))
		b.Set(paramsKey(id), append([]byte{}, n.Params...))
		setQueue(b, n.Kind, n.Datastore, q)
		for _, s := range []string{scope("", ""), scope(n.Datastore, ""), scope(n.Datastore, n.Kind)} {
			b.Set(indexKey(s, fromMilli(r.Submitted), r.Seq), []byte(id+n.Name))
		}
		if n.ClientToken != "" {
			b.Set(tokenKey(n.Kind, n.ClientToken), encode(token{format, id, n.Datastore, n.Fingerprint}))
		}
		rec = r.record(n.Params)
		l.observe(b, r, n.Params)
		return b, nil
	})
	if err != nil {
		return Record{}, false, fault.Wrap(op, err)
	}
	if !reused {
		l.broadcast()
	}
	return rec, reused, nil
}

// observe tells of a job's new state.
func (l *Ledger) observe(b *kv.Batch, r *row, params []byte) {
	if l.onState != nil {
		l.onState(b, r.record(params))
	}
}

// observed are the parameters of jobs for observe; empty where nobody observes.
func (l *Ledger) observed(ctx context.Context, read kv.Reader, ids ...string) ([][]byte, error) {
	if l.onState == nil {
		return make([][]byte, len(ids)), nil
	}
	keys := make([][]byte, len(ids))
	for i, id := range ids {
		keys[i] = paramsKey(id)
	}
	return read.Get(ctx, keys...)
}

// Lookup finds the job that an earlier Enqueue with this token made, so that a repeated request can be answered before
// anything else is checked. The rules are Enqueue's: found with the same data store and fingerprint, fault.Invalid
// with others.
func (l *Ledger) Lookup(ctx context.Context, k Kind, datastore, clientToken, fingerprint string) (Record, bool, error) {
	const op = "job.Lookup"
	if clientToken == "" {
		return Record{}, false, nil
	}
	snap, err := l.space.Snapshot(ctx)
	if err != nil {
		return Record{}, false, fault.Wrap(op, err)
	}
	defer snap.Close()
	got, err := snap.Get(ctx, tokenKey(k, clientToken))
	if err != nil {
		return Record{}, false, fault.Wrap(op, err)
	}
	r, params, err := l.reuse(ctx, snap, got[0], k, datastore, fingerprint)
	if err != nil || r == nil {
		return Record{}, false, fault.Wrap(op, err)
	}
	return r.record(params), true, nil
}

// reuse is the job behind a token's row; nil where there is none.
func (l *Ledger) reuse(ctx context.Context, read kv.Reader, data []byte, k Kind, datastore, fingerprint string) (*row, []byte, error) {
	var t token
	ok, err := decode(data, &t, "a client token of "+string(k))
	if err != nil || !ok {
		return nil, nil, err
	}
	if t.Datastore != datastore || t.Fingerprint != fingerprint {
		return nil, nil, fault.WithHint(
			fault.Errorf(fault.Invalid, "job", "ClientToken was used before for another %s job with other parameters.", k),
			"Use a new token for a new request.")
	}
	got, err := read.Get(ctx, recordKey(t.ID), paramsKey(t.ID))
	if err != nil {
		return nil, nil, err
	}
	r, err := decodeRow(got[0], t.ID)
	return r, got[1], err
}

// Describe is the job of that data store; fault.NotFound if there is none.
func (l *Ledger) Describe(ctx context.Context, datastore, id string) (Record, error) {
	r, params, err := l.read(ctx, id)
	if err == nil && r.Datastore != datastore {
		err = fault.Errorf(fault.NotFound, "job", "There is no job %s in data store %s.", id, datastore)
	}
	if err != nil {
		return Record{}, fault.Wrap("job.Describe", err)
	}
	return r.record(params), nil
}

func (l *Ledger) read(ctx context.Context, id string) (*row, []byte, error) {
	if !validID(id) {
		return nil, nil, fault.Errorf(fault.NotFound, "job", "There is no job %q.", cut(id, 64))
	}
	snap, err := l.space.Snapshot(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer snap.Close()
	got, err := snap.Get(ctx, recordKey(id), paramsKey(id))
	if err != nil {
		return nil, nil, err
	}
	r, err := decodeRow(got[0], id)
	return r, got[1], err
}

// NewID is a fresh random id of 32 lowercase hex digits.
func NewID() (string, error) {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", fault.Errorf(fault.Unavailable, "job.NewID", "no random numbers: %w", err)
	}
	return hex.EncodeToString(b[:]), nil
}

func (n *New) check() error {
	const op = "job.Enqueue"
	switch {
	case !validKind(n.Kind):
		return fault.Errorf(fault.Invalid, op, "kind %q is not 1 to 32 of a-z and '-'", string(n.Kind))
	case !validID(n.Datastore):
		return fault.Errorf(fault.Invalid, op, "data store id %q is not 32 lowercase hex digits", cut(n.Datastore, 64))
	case n.ID != "" && !validID(n.ID):
		return fault.Errorf(fault.Invalid, op, "job id %q is not 32 lowercase hex digits", cut(n.ID, 64))
	case len(n.Name) > 256 || len(n.ClientToken) > 128 || len(n.Fingerprint) > 128:
		return fault.Errorf(fault.Invalid, op, "name, client token or fingerprint is too long")
	case len(n.Params) > MaxParams:
		return fault.Errorf(fault.TooLarge, op, "parameters of %d bytes are over the limit of %d", len(n.Params), MaxParams)
	}
	return nil
}

func validKind(k Kind) bool {
	return len(k) >= 1 && len(k) <= 32 && strings.Trim(string(k), "abcdefghijklmnopqrstuvwxyz-") == ""
}

func validID(id string) bool {
	return len(id) == 32 && strings.Trim(id, "0123456789abcdef") == ""
}

// cut shortens s to at most n runes.
func cut(s string, n int) string {
	if utf8.RuneCountInString(s) <= n {
		return s
	}
	r := []rune(s)
	return string(r[:n-1]) + "…"
}
