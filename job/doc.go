// Package job is the ledger of long works: it queues them, hands them to workers under a lease with a term, keeps their
// plan, checkpoints and progress, and resumes or cancels them. It knows no kind of work: export, ingest and others
// implement Work and app registers them with a Runner.
//
// # Order
//
// Jobs of one kind and one data store form a queue, first in first out. One of them runs; at most New.MaxWaiting wait
// behind it; the next is refused with fault.Throttled. The queue is ONE row, and whoever changes who is in it holds
// that row's lock, so that the order is decided by the database and not by who happens to be fast:
//
//	job/q/{kind}/{data store}   {"running": job, "waiting": [job, job, ...]}
//
// # Term, beat, checkpoint
//
// A claim writes a new term into the job's row. Every later write of the worker (beat, checkpoint, plan, progress,
// finish) is conditioned on that term in the same atomic update; a worker whose term is over gets ErrTermLost, and
// nothing is written. A worker that was merely slow can therefore do no harm when it wakes, whatever its clock says:
//
//	worker A                 job's row               worker B
//	   |  claim              term 1 beat 1              |
//	   |-------------------->|                          |
//	   |  checkpoint part 0  term 1 beat 2              |
//	   |-------------------->|        sees (1, 2)       |
//	   |   (A is stopped)    |<-------------------------|  B's own monotonic clock runs
//	   |                     |   still (1, 2)           |
//	   |                     |<-------------------------|  after the lease:
//	   |                     |    claim, if (1, 2)      |
//	   |                     |<-------------------------|  term 2 beat 3
//	   |  checkpoint part 1  |                          |
//	   |-------------------->| refused: ErrTermLost     |
//	   |  (A stops its work) |    goes on after part 0  |
//
// Where one process holds the data directory no rival can be alive, and the lease is zero: a restart takes over at
// once. A worker that drains gives its job back (owner empty), and anyone may take it at once.
//
// # What survives
//
// Parameters are fixed when the job is queued. A plan is written once: its pieces first, the row that makes it visible
// last. A checkpoint is one row per key, so a job of 200,000 parts costs as much per part as one of two; the first
// checkpoint of a key adds its progress in the same update, a repeated one does not count twice. Rows, all below the
// prefix job/ of the system space (JSON values carry a format number):
//
//	job/seq                          last sequence number and submit time
//	job/q/{kind}/{data store}        the queue; gone when empty
//	job/r/{id}                       the record: state, term, beat, owner, progress, times
//	job/p/{id}                       parameters as given
//	job/l/{id}/{piece}               pieces of the plan
//	job/c/{id}/{key}                 checkpoints
//	job/t/{kind}/{client token}      idempotency: job id and fingerprint
//	job/i/{scope}/{time}{sequence}   index for lists: id and name; scope is all, a data store, or that and a kind
//
// # States
//
// The ten states are HealthLake's; docs/job-states.md draws them. Once a cancel was accepted a job never becomes
// COMPLETED. One that was abandoned by the service (Ledger.Abandon) becomes FAILED with the reason, unless its work had ended
// well before it heard of it.
//
// A work that neither makes progress nor gives a sign of life (Run.Alive) is begun again. One that awaits what comes by
// itself (Awaiting) steps aside for others until then.
package job
