package account

import (
	"sync"
	"sync/atomic"
	"time"
)

// lastUse remembers when keys were last used, to the minute, since this process started. It is not stored: a write for
// each request would cost more than the knowledge is worth. The zero value is ready.
type lastUse struct {
	keys sync.Map // access key id -> *atomic.Int64, Unix minutes
}

func (l *lastUse) note(id string, now func() time.Time) {
	minute := now().Unix() / 60
	kept, ok := l.keys.Load(id)
	if !ok {
		kept, _ = l.keys.LoadOrStore(id, new(atomic.Int64))
	}
	if last := kept.(*atomic.Int64); last.Load() != minute {
		last.Store(minute)
	}
}

// LastUsed is when a key was last used, to the minute, as far as this process knows; zero where it was not.
func (a *Accounts) LastUsed(id string) time.Time {
	kept, ok := a.used.keys.Load(id)
	if !ok {
		return time.Time{}
	}
	return time.Unix(kept.(*atomic.Int64).Load()*60, 0).UTC()
}
