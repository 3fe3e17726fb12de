package pebble

import (
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// While small commits come, which is what live traffic looks like from here, compactions pause after each paceBytes that
// they have written, for as long as these took. Otherwise they would keep every processor for ten milliseconds at a time,
// and each commit would wait for one several times over. They stop pausing when they fall behind.
const (
	paceBytes   = 64 << 10
	paceLongest = 10 * time.Millisecond
	paceBehind  = 8        // sublevels of level 0, beyond which compactions must hurry
	smallCommit = 64 << 10 // bytes; a bulk commit is larger
	liveCommits = 8        // so many small commits within liveWithin are live traffic
	liveWithin  = time.Second

	lookAtLevels = 100 * time.Millisecond // between two looks at level 0
)

// compactionCategory is what Pebble says of the files that a compaction writes.
const compactionCategory vfs.DiskWriteCategory = "pebble-compaction"

// traffic knows whether small commits come. It is safe for concurrent use.
type traffic struct {
	begin time.Time
	n     atomic.Uint64
	last  [liveCommits]atomic.Int64 // when, since begin; 0 is never
}

func newTraffic() *traffic { return &traffic{begin: time.Now()} }

// committed counts a commit of so many bytes.
func (t *traffic) committed(size int) {
	if size < smallCommit {
		t.last[t.n.Add(1)%liveCommits].Store(int64(time.Since(t.begin)))
	}
}

// isLive reports whether the last liveCommits small commits came within liveWithin.
func (t *traffic) isLive() bool {
	oldest := t.last[(t.n.Load()+1)%liveCommits].Load()
	return oldest != 0 && time.Since(t.begin)-time.Duration(oldest) < liveWithin
}

// pacedFile is a table that a compaction writes.
type pacedFile struct {
	vfs.File
	isLive  func() bool
	written int
	since   time.Time // the end of the last pause
}

func newPacedFile(f vfs.File, isLive func() bool) *pacedFile {
	return &pacedFile{File: f, isLive: isLive, since: time.Now()}
}

// Write implements vfs.File; it pauses after what is written when it is time.
func (f *pacedFile) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	if f.written += n; f.written < paceBytes {
		return n, err
	}
	f.written = 0
	if f.isLive() {
		time.Sleep(min(time.Since(f.since), paceLongest))
	}
	f.since = time.Now()
	return n, err
}
