package pebble

import (
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
)

// compactionRest is how long after a space was opened its compactions begin. After a kill -9 the flush of the replayed log
// leaves work for them, which would compete with the opening itself and with the first requests.
const compactionRest = time.Second

// compactions decides when the compactions of one space run: as many at a time as Pebble allows, none before the rest.
// Pebble's own scheduler does the same without a rest, and wakes up ten times a second for each database.
//
// Whenever TrySchedule has refused, something is to come that grants what waits: the end of the rest, or the end of a
// compaction. Pebble's locks come before mu, so the database is called without it.
type compactions struct {
	db pebble.DBForCompaction // set by Register, before all else

	mu      sync.Mutex
	idle    sync.Cond // signalled when granting is false
	running int
	resting bool
	over    bool // nothing is granted any more
	// granting: one caller at a time asks the database what waits. again: ask once more, since something has ended.
	granting, again bool
	timer           *time.Timer
}

var _ pebble.CompactionScheduler = (*compactions)(nil)

func newCompactions() *compactions {
	c := &compactions{resting: true}
	c.idle.L = &c.mu
	return c
}

// begin starts the rest: the space is open.
func (c *compactions) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.over {
		return
	}
	c.timer = time.AfterFunc(compactionRest, func() {
		c.mu.Lock()
		c.resting = false
		c.mu.Unlock()
		c.grant()
	})
}

// Register implements pebble.CompactionScheduler, as the methods below do.
func (c *compactions) Register(_ int, db pebble.DBForCompaction) { c.db = db }

// Unregister ends all granting, and waits until the database is not being asked.
func (c *compactions) Unregister() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.over = true
	if c.timer != nil {
		c.timer.Stop()
	}
	for c.granting {
		c.idle.Wait()
	}
}

// TrySchedule lets a compaction run, or not yet.
func (c *compactions) TrySchedule() (bool, pebble.CompactionGrantHandle) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.free() <= 0 {
		return false, nil
	}
	c.running++
	return true, grant{c}
}

// UpdateGetAllowedWithoutPermission is called when a flush may have raised what Pebble allows, under the database's lock.
func (c *compactions) UpdateGetAllowedWithoutPermission() {
	c.mu.Lock()
	free := c.free()
	c.mu.Unlock()
	if free > 0 {
		go c.grant()
	}
}

// free is how many more compactions may run; mu is held.
func (c *compactions) free() int {
	if c.over || c.resting {
		return 0
	}
	return c.db.GetAllowedWithoutPermission() - c.running
}

// grant lets run what waits, as far as it may.
func (c *compactions) grant() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.granting {
		c.again = true
		return
	}
	c.granting = true
	for ok := true; ok; {
		c.again = false
		for granted := true; granted && c.free() > 0; {
			c.mu.Unlock()
			granted, _ = c.db.GetWaitingCompaction()
			granted = granted && c.db.Schedule(grant{c})
			c.mu.Lock()
			if granted {
				// Not before, or TrySchedule would refuse for the sake of a grant that is not taken, and nothing would
				// come to make up for it. For a moment one more may run, and running be below 0 if it has ended already.
				c.running++
			}
		}
		ok = c.again
	}
	c.granting = false
	c.idle.Broadcast()
}

// grant is the permission for one compaction.
type grant struct{ to *compactions }

func (grant) Started()                                          {}
func (grant) MeasureCPU(pebble.CompactionGoroutineKind)         {}
func (grant) CumulativeStats(pebble.CompactionGrantHandleStats) {}

// Done ends the compaction.
func (g grant) Done() {
	g.to.mu.Lock()
	g.to.running--
	g.to.mu.Unlock()
	g.to.grant()
}
