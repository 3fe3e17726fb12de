// Package kvtest is the conformance suite of kv: every engine passes Run. It also holds Faulty, which lets an engine
// fail on both sides of a write, for the tests of upper floors, and Postgres, a server of a test binary's own.
package kvtest

import (
	"context"
	"testing"

	"tarn/kv"
)

// Harness makes the engines under test. Only Open is needed; what the others would prove is reported as left out where
// they are nil.
type Harness struct {
	// Open makes a new, empty engine. The suite closes it.
	Open func(t *testing.T) kv.Engine
	// Reopen closes e and opens another engine upon the same data.
	Reopen func(t *testing.T, e kv.Engine) kv.Engine
	// Crash opens another engine upon what was durable in e, as a power failure would leave it. It is called while
	// others use e, and e is not used for anything that counts afterwards.
	Crash func(t *testing.T, e kv.Engine) kv.Engine
	// Waiting is how many updates wait for lock keys of the space.
	Waiting func(t *testing.T, s kv.Space) int
}

// Run proves that the engines of h keep the contract of kv. Its cases are sub-tests and run in parallel.
func Run(t *testing.T, h Harness) {
	cases := []struct {
		name string
		run  func(t *testing.T, h Harness)
	}{
		{"snapshot", testSnapshot},
		{"get", testGet},
		{"scan", testScan},
		{"seek", testSeek},
		{"reset", testReset},
		{"read ends with its context", testReadContext},
		{"update", testUpdate},
		{"update excludes", testUpdateExcludes},
		{"update is consistent", testUpdateConsistent},
		{"update overlapping keys", testUpdateOverlap},
		{"update without a lock", testUpdateWithoutLock},
		{"update in order", testUpdateInOrder},
		{"update canceled", testUpdateCanceled},
		{"batch order", testBatchOrder},
		{"limits", testLimits},
		{"spaces", testSpaces},
		{"spaces under use", testDropUnderUse},
		{"many at once", testManyAtOnce},
		{"load", testLoad},
		{"load refused", testLoadRefused},
		{"load big", testLoadBig},
		{"bulk", testBulk},
		{"bulk refused", testBulkRefused},
		{"compact", testCompact},
		{"size", testSize},
		{"closed", testClosed},
		{"reopen", testReopen},
		{"crash", testCrash},
		{"crash under load", testCrashUnderWrites},
		{"story", testStory},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.run(t, h)
		})
	}
}

// open makes an engine and one space in it.
func open(t *testing.T, h Harness) (kv.Engine, kv.Space) {
	t.Helper()
	e := h.Open(t)
	closeAtEnd(t, e)
	return e, space(t, e, "space")
}

func closeAtEnd(t *testing.T, e kv.Engine) {
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Errorf("closing the engine: %v", err)
		}
	})
}

func space(t *testing.T, e kv.Engine, name string) kv.Space {
	t.Helper()
	s, err := e.Open(t.Context(), name)
	if err != nil {
		t.Fatalf("opening space %q: %v", name, err)
	}
	return s
}

func snapshot(t *testing.T, s kv.Space) kv.Snapshot {
	t.Helper()
	n, err := s.Snapshot(t.Context())
	if err != nil {
		t.Fatalf("taking a snapshot: %v", err)
	}
	t.Cleanup(func() { _ = n.Close() })
	return n
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// write applies what fill puts into a batch, without a lock.
func write(ctx context.Context, s kv.Space, fill func(b *kv.Batch)) error {
	return s.Update(ctx, nil, func(kv.Locked) (*kv.Batch, error) {
		var b kv.Batch
		fill(&b)
		return &b, nil
	})
}

// put sets keys and values, given in turn.
func put(t *testing.T, s kv.Space, pairs ...string) {
	t.Helper()
	must(t, write(t.Context(), s, func(b *kv.Batch) {
		for i := 0; i < len(pairs); i += 2 {
			b.Set([]byte(pairs[i]), []byte(pairs[i+1]))
		}
	}))
}
