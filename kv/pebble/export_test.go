package pebble

import (
	"github.com/cockroachdb/pebble/v2"

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
