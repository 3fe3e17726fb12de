package kvtest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"tarn/fault"
	"tarn/kv/kvtest"
	"tarn/kv/pebble"
)

func TestNarrow_failsWhoHoldsASnapshotWhileWaitingForAnother(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		inner, err := pebble.InMemory(pebble.Options{})
		if err != nil {
			t.Fatal(err)
		}
		e := kvtest.NewNarrow(inner, 1, time.Minute)
		defer func() {
			if err := e.Close(); err != nil {
				t.Error(err)
			}
		}()
		one, err := e.Open(t.Context(), "one")
		if err != nil {
			t.Fatal(err)
		}
		other, err := e.Open(t.Context(), "other")
		if err != nil {
			t.Fatal(err)
		}
		held, err := one.Snapshot(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := other.Snapshot(t.Context()); !fault.Is(err, fault.Unavailable) {
			t.Errorf("a second one: %v", err)
		}
		go func() {
			time.Sleep(time.Second)
			_ = held.Close()
			_ = held.Close()
		}()
		next, err := other.Snapshot(t.Context())
		if err != nil {
			t.Fatalf("after the first was closed: %v", err)
		}
		if err := next.Close(); err != nil {
			t.Error(err)
		}
	})
}
