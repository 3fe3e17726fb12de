package pebble

import (
	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"tarn/kv"
)

// Waiting is how many updates of s wait for their locks.
func Waiting(s kv.Space) int { return s.(*space).locks.Waiting() }

// CompactionRest is how long the compactions of an opened space wait.
const CompactionRest = compactionRest

// NewCompactions is a scheduler, and what tells it that the space is open.
func NewCompactions() (s pebble.CompactionScheduler, begin func()) {
	c := newCompactions()
	return c, c.begin
}

// LiveCommits is how many small commits are live traffic.
const LiveCommits = liveCommits

// NewTraffic counts commits; isLive tells whether compactions give way to them.
func NewTraffic() (committed func(size int), isLive func() bool) {
	t := newTraffic()
	return t.committed, t.isLive
}

// NewPacedFile is a file that a compaction writes.
func NewPacedFile(f vfs.File, isLive func() bool) vfs.File { return newPacedFile(f, isLive) }

// PaceBytes is after how many bytes a paced file rests.
const PaceBytes = paceBytes

// PaceLongest is how long it rests at most.
const PaceLongest = paceLongest
