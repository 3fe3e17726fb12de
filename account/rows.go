package account

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"strings"
	"time"

	"tarn/fault"
	"tarn/kv"
)

// Rows, all below account/ in the system space. Names are kept in lower case in keys, since IAM holds two names that
// differ in case only for the same.
//
//	account/epoch              8 bytes: counts the writes; each write holds it as its lock
//	account/founding           whose account it is
//	account/root               the root's first access key
//	account/entity/KIND/NAME   a user, group or role with all that hangs on it but its keys
//	account/key/ID             an access key, its secret sealed
//	account/policy/NAME        a customer managed policy with its versions
const (
	prefix      = "account/"
	epochRow    = prefix + "epoch"
	foundingKey = prefix + "founding"
	rootRow     = prefix + "root"
	keyPrefix   = prefix + "key/"
	policyRows  = prefix + "policy/"
	entityRows  = prefix + "entity/"
)

func keyOf(id string) string                    { return keyPrefix + id }
func policyKey(name string) string              { return policyRows + strings.ToLower(name) }
func entitiesOf(kind Kind) string               { return entityRows + string(kind) + "/" }
func entityKey(kind Kind, name string) string   { return entitiesOf(kind) + strings.ToLower(name) }
func (a *Accounts) nowSeconds() time.Time       { return a.now().UTC().Truncate(time.Second) }
func sameName(a, b string) bool                 { return strings.EqualFold(a, b) }
func contains(list []string, value string) bool { return index(list, value) >= 0 }

func index(list []string, value string) int {
	for i, v := range list {
		if v == value {
			return i
		}
	}
	return -1
}

func epochOf(value []byte) uint64 {
	if len(value) != 8 {
		return 0
	}
	return binary.BigEndian.Uint64(value)
}

// reader reads rows.
type reader struct {
	ctx context.Context
	kv  kv.Reader
}

// get reads a row into a pointer; false where there is none.
func (r reader) get(key string, into any) (bool, error) {
	values, err := r.kv.Get(r.ctx, []byte(key))
	if err != nil {
		return false, fault.Wrap("account.get", err)
	}
	if values[0] == nil {
		return false, nil
	}
	return true, decode("account.get", values[0], into)
}

// has reports whether there is a row.
func (r reader) has(key string) (bool, error) {
	values, err := r.kv.Get(r.ctx, []byte(key))
	if err != nil {
		return false, fault.Wrap("account.has", err)
	}
	return values[0] != nil, nil
}

// count is the number of rows below a prefix.
func (r reader) count(below string) (n int, err error) {
	rows := kv.Prefix([]byte(below))
	rows.KeysOnly = true
	it := r.kv.Scan(r.ctx, rows)
	for it.Next() {
		n++
	}
	return n, fault.Wrap("account.count", errors.Join(it.Err(), it.Close()))
}

// all reads the rows below a prefix in the order of their names.
func all[T any](r reader, below string) ([]*T, error) {
	var rows []*T
	it := r.kv.Scan(r.ctx, kv.Prefix([]byte(below)))
	var bad error
	for bad == nil && it.Next() {
		row := new(T)
		if bad = decode("account.list", it.Value(), row); bad == nil {
			rows = append(rows, row)
		}
	}
	if err := errors.Join(bad, it.Err(), it.Close()); err != nil {
		return nil, fault.Wrap("account.list", err)
	}
	return rows, nil
}

// read shows fn one consistent state.
func (a *Accounts) read(ctx context.Context, fn func(r reader) error) error {
	s, err := a.space.Snapshot(ctx)
	if err != nil {
		return fault.Wrap("account.read", err)
	}
	defer func() { _ = s.Close() }()
	return fn(reader{ctx, s})
}

// change is a write under way: what it reads is the newest state, and nobody else writes meanwhile.
type change struct {
	reader
	batch kv.Batch
	now   time.Time // in whole seconds, as IAM tells times
	err   error
}

func (c *change) set(key string, row any) {
	data, err := json.Marshal(row)
	if err != nil && c.err == nil {
		c.err = fault.Errorf(fault.Internal, "account.set", "a row cannot be written: %w", err)
	}
	c.batch.Set([]byte(key), data)
}

func (c *change) delete(key string) { c.batch.Delete([]byte(key)) }

// write runs one change of the account. All of them take the same lock, since they are rare and look at each other's
// rows: what is attached exists, what is deleted hangs on nothing. Each counts the epoch, by which caches know.
func (a *Accounts) write(ctx context.Context, op string, fn func(c *change) error) error {
	var next uint64
	err := a.space.Update(ctx, [][]byte{[]byte(epochRow)}, func(tx kv.Locked) (*kv.Batch, error) {
		c := &change{reader: reader{ctx, tx}, now: a.nowSeconds()}
		if err := fn(c); err != nil {
			return nil, err
		}
		if c.err != nil || c.batch.Len() == 0 {
			return nil, c.err
		}
		next = epochOf(tx.Values[0]) + 1
		c.batch.Set([]byte(epochRow), binary.BigEndian.AppendUint64(nil, next))
		return &c.batch, nil
	})
	if err == nil {
		if next != 0 {
			a.cache.Store(newCache(next))
		}
		return nil
	}
	if next != 0 { // it may have been applied, or not
		a.cache.Store(newCache(unknown))
	}
	var ours *Error
	if errors.As(err, &ours) {
		return err
	}
	return fault.Wrap(op, err)
}
