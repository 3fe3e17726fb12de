package app

import (
	"context"
	"math"
	"runtime/debug"

	"tarn/job"
)

// roomBeside is the memory, besides the engine's block cache, from which on the garbage collector works harder: the
// buffers of an export and what the engine writes, with some room to spare.
const roomBeside = 192 << 20

// boundMemory lets memory grow freely up to the cache and roomBeside, and tightly from there on. Without it the heap
// would be let grow to twice of what lives, the cache included. An operator's GOMEMLIMIT stands.
func boundMemory(cacheBytes int64) {
	if debug.SetMemoryLimit(-1) == math.MaxInt64 {
		debug.SetMemoryLimit(cacheBytes + roomBeside)
	}
}

// frugal is a work that gives its memory back to the system when it ends.
type frugal struct{ job.Work }

// Run implements job.Work.
func (w frugal) Run(ctx context.Context, run *job.Run) error {
	defer debug.FreeOSMemory()
	return w.Work.Run(ctx, run)
}

// Cancelled implements job.Canceller, for works that do.
func (w frugal) Cancelled(ctx context.Context, run *job.Run) error {
	if c, ok := w.Work.(job.Canceller); ok {
		return c.Cancelled(ctx, run)
	}
	return nil
}

// Failed implements job.Failer, for works that do.
func (w frugal) Failed(ctx context.Context, run *job.Run, reason error) error {
	if f, ok := w.Work.(job.Failer); ok {
		return f.Failed(ctx, run, reason)
	}
	return nil
}
