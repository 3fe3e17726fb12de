// Package store keeps the versions of a data store's resources over one kv.Space. Every transaction has a number,
// TxID, which is the only clock: a View as of a TxID gives the same answer for ever, after a restart and on every node.
//
// # Visibility
//
// One row, the head, says what is committed: the last TxID, its instant and the counters of every type. A commit takes
// the head as its lock, reads it, and writes everything, the new head among it, in one atomic durable batch:
//
//	callers    Commit ──► prepare: check, sort entries, put large documents aside (no lock)
//	                         │
//	           ┌─────────────┴────────────┐
//	queues     │ interactive   bulk       │
//	           └─────────────┬────────────┘
//	committer          group of transactions          one goroutine per Store
//	                         │
//	kv.Update   lock head ─► read ids, rows ─► plan (TxID+1, +2, ...) ─► one batch ─► durable ─► answers
//
// From this follow the rules that readers rely on:
//
//   - A View is one kv snapshot and a TxID T that is not above the snapshot's head. It shows, of every resource, the
//     newest version with TxID <= T: the current row if that is old enough, else a row of the history.
//   - A transaction is visible whole or not at all. The transactions of a group become visible together.
//   - Nothing is shown before it is durable: while a batch is on its way to the disk, Head and Latest stay before it.
//     (Update of the engine may show it to snapshots already; a power failure may take it back.)
//   - An Update that failed may have been applied all the same. All callers of the group hear fault.Unavailable, and
//     the next group begins with whatever head it finds under the lock.
//   - Other processes may commit to the same space. So no head is remembered from one group to the next: it is read
//     under its lock.
//
// # Instants
//
// An instant (milliseconds, meta.lastUpdated) belongs to a batch: max(clock, the head's), and at least one more than the
// head's if that is sealed. Fix seals: it makes max(clock, head's) the head's instant, durably, and gives it out with the
// head's TxID T. So every version up to T has an instant <= it and every later one an instant above it, whatever clocks
// do; "instant > since" loses nothing and repeats nothing.
//
// # Fairness
//
// Interactive transactions go first. While both queues have work, bulk gets a quarter of the committer's time, one small
// group at a time; so an interactive transaction waits for at most one bulk group, and bulk always goes on. A bulk
// transaction cannot be divided here: whoever loads data asks Contended and makes its transactions small while it is
// true.
//
// # Loads
//
// Load is a commit of many new resources whose rows are the same but go to the engine sorted (kv.Bulk), in a group of
// their own. Since that holds the lock for longer, it is for quiet times only, and interactive transactions break it off.
//
// The rows and keys are described in docs/design/store-layout.md; a golden test holds their bytes.
package store
