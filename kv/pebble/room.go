package pebble

import (
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"tarn/fault"
	"tarn/kv"
)

// room watches the free space of the disk. A log that cannot grow wrecks a database until it is opened again, so
// writes stop before that.
type room struct {
	fs      vfs.FS
	dir     string
	reserve uint64
	begin   time.Time
	next    atomic.Int64 // when to look again, as time since begin
	tight   atomic.Bool
}

const lookEvery = time.Second

func newRoom(fs vfs.FS, dir string, reserve int64) *room {
	r := &room{fs: fs, dir: dir, begin: time.Now()}
	switch {
	case reserve == 0:
		r.reserve = 64 << 20
	case reserve > 0:
		r.reserve = uint64(reserve)
	}
	return r
}

// check refuses a write where the disk is nearly full. It looks at the disk once a second, and each time while it is.
func (r *room) check(op string) error {
	if r.reserve == 0 {
		return nil
	}
	now, next := time.Since(r.begin), r.next.Load()
	if r.tight.Load() || now >= time.Duration(next) && r.next.CompareAndSwap(next, int64(now+lookEvery)) {
		usage, err := r.fs.GetDiskUsage(r.dir)
		r.tight.Store(err == nil && usage.AvailBytes < r.reserve) // a file system that cannot tell is not tight
	}
	if r.tight.Load() {
		return fault.WithHint(&fault.Error{Op: op, Kind: fault.Unavailable, Msg: "the disk is nearly full: writes are refused", Err: kv.ErrUntouched},
			"free some disk space: at least %d MiB must stay free", r.reserve>>20)
	}
	return nil
}
