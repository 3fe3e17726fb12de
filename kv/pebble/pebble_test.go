package pebble_test

import (
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"

	"tarn/kv"
	"tarn/kv/kvtest"
	"tarn/kv/pebble"
)

func open(t *testing.T, dir string, opts pebble.Options) *pebble.Engine {
	t.Helper()
	e, err := pebble.Open(dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func waiting(_ *testing.T, s kv.Space) int { return pebble.Waiting(s) }

// TestEngine_inMemory runs the suite over a file system that forgets what was not synced when it crashes.
func TestEngine_inMemory(t *testing.T) {
	t.Parallel()
	var disks sync.Map // of each engine
	start := func(t *testing.T, fs *vfs.MemFS) kv.Engine {
		e := open(t, "data/store", pebble.Options{FS: fs, CacheBytes: 1 << 20})
		disks.Store(e, fs)
		return e
	}
	disk := func(e kv.Engine) *vfs.MemFS {
		fs, _ := disks.Load(e)
		return fs.(*vfs.MemFS)
	}
	kvtest.Run(t, kvtest.Harness{
		Open: func(t *testing.T) kv.Engine { return start(t, vfs.NewCrashableMem()) },
		Reopen: func(t *testing.T, e kv.Engine) kv.Engine {
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
			return start(t, disk(e))
		},
		Crash: func(t *testing.T, e kv.Engine) kv.Engine {
			rng := rand.New(rand.NewPCG(1, 2))
			percent := 0
			if t.Name() != "TestEngine_inMemory/crash" {
				percent = 50 // some of what was not synced has reached the disk, as it may
			}
			return start(t, disk(e).CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: rng}))
		},
		Waiting: waiting,
	})
}

func TestEngine_onDisk(t *testing.T) {
	t.Parallel()
	var dirs sync.Map
	start := func(t *testing.T, dir string) kv.Engine {
		e := open(t, dir, pebble.Options{CacheBytes: 1 << 20})
		dirs.Store(e, dir)
		return e
	}
	kvtest.Run(t, kvtest.Harness{
		Open: func(t *testing.T) kv.Engine { return start(t, t.TempDir()) },
		Reopen: func(t *testing.T, e kv.Engine) kv.Engine {
			if err := e.Close(); err != nil {
				t.Fatal(err)
			}
			dir, _ := dirs.Load(e)
			return start(t, dir.(string))
		},
		Waiting: waiting,
	})
}
