package account

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"tarn/access"
	"tarn/fault"
)

// recheck is how often the epoch is looked at, since another process over the same rows may have written.
const recheck = time.Second

// unknown is an epoch that no store has: the next look finds another one.
const unknown = ^uint64(0)

// cache is what is known as of one epoch. It is only added to, and thrown away whole at a write: whoever began to read
// before the write adds to the old one.
type cache struct {
	epoch       uint64
	checked     atomic.Int64 // when the epoch was last looked at, since born
	credentials sync.Map     // access key id -> *access.Credential
	grants      sync.Map     // KIND/name in lower case -> *granted
	roles       sync.Map     // ARN -> *access.Role
	policies    sync.Map     // ARN -> access.Policy
}

// granted is a compiled grant and the unique id of who has it, so that a namesake made later does not inherit it.
type granted struct {
	id    string
	grant access.Grant
}

// born is the zero of the process's monotonic clock, against which looks are timed.
var born = time.Now()

func newCache(epoch uint64) *cache {
	c := &cache{epoch: epoch}
	c.checked.Store(int64(time.Since(born)))
	return c
}

// known is what is known: all that this process has written, and what others had a second ago and the time of a look. One
// caller at a time looks; the others go on meanwhile.
func (a *Accounts) known(ctx context.Context) (*cache, error) {
	c := a.cache.Load()
	now, last := int64(time.Since(born)), c.checked.Load()
	if now-last < int64(recheck) || !c.checked.CompareAndSwap(last, now) {
		return c, nil
	}
	var epoch uint64
	err := a.read(ctx, func(r reader) error {
		values, err := r.kv.Get(ctx, []byte(epochRow))
		if err == nil {
			epoch = epochOf(values[0])
		}
		return err
	})
	if err != nil {
		c.checked.Store(last) // the next caller looks again: what is known must not outlive a failure
		return nil, fault.Wrap("account.known", err)
	}
	if epoch == c.epoch {
		return c, nil
	}
	a.cache.CompareAndSwap(c, newCache(epoch))
	return a.cache.Load(), nil
}
