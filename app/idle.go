package app

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// An idle server gives the memory of past work back to the system: nothing else would make the collector run.
const (
	idleLook  = 5 * time.Second // how often it is looked
	idleAlloc = 2 << 20         // bytes allocated between two looks by a server that is idle
	idleWorth = 32 << 20        // bytes allocated since the last time that make it worth while
)

// trimmer decides when to give memory back.
type trimmer struct {
	last, trimmed uint64
}

// due is told the bytes allocated since the start and reports whether now is the time.
func (t *trimmer) due(allocated uint64) bool {
	idle := allocated-t.last < idleAlloc
	t.last = allocated
	if !idle || allocated-t.trimmed < idleWorth {
		return false
	}
	t.trimmed = allocated
	return true
}

// trimIdle gives memory back whenever the server has become idle, until ctx ends.
func trimIdle(ctx context.Context) {
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	tick := time.NewTicker(idleLook)
	defer tick.Stop()
	var t trimmer
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		metrics.Read(sample)
		if sample[0].Value.Kind() == metrics.KindUint64 && t.due(sample[0].Value.Uint64()) {
			debug.FreeOSMemory()
		}
	}
}
