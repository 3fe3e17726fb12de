package app

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"tarn/fault"
	"tarn/kv"
)

// readiness tells whether the server can do its work: rows can be written, and jobs are being run. Rows are tried at
// most once in a while, however often it is asked.
type readiness struct {
	system kv.Space
	jobs   atomic.Bool // the runner runs

	mu    sync.Mutex
	tried time.Time
	err   error
}

const (
	readyFor  = 5 * time.Second // a trial counts so long
	readyWait = 5 * time.Second // a trial may take so long
)

var readyKey = []byte("meta/ready")

// check is edge.Faces.Ready.
func (r *readiness) check(ctx context.Context) error {
	if !r.jobs.Load() {
		return fault.Errorf(fault.Unavailable, "app", "jobs are not being run")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.tried.IsZero() && time.Since(r.tried) < readyFor {
		return r.err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), readyWait)
	defer cancel()
	err := r.system.Update(ctx, [][]byte{readyKey}, func(kv.Locked) (*kv.Batch, error) {
		b := new(kv.Batch)
		b.Set(readyKey, nil)
		return b, nil
	})
	if err != nil { // the cause may name hosts and files: it is for the log of whoever writes
		err = fault.Errorf(fault.Unavailable, "app", "rows cannot be written")
	}
	r.tried, r.err = time.Now(), err
	return err
}
