package fault_test

import (
	"errors"
	"testing"

	"tarn/fault"
)

func TestHasForeignCause_findsTheEndOfTheChain(t *testing.T) {
	t.Parallel()
	foreign := errors.New("open /srv: denied")
	ours := fault.Errorf(fault.Unavailable, "kv", "closed")
	for name, c := range map[string]struct {
		err  error
		want bool
	}{
		"none":              {nil, false},
		"ours":              {ours, false},
		"ours, wrapped":     {fault.WithHint(fault.Wrap("x", ours), "wait"), false},
		"ours, formatted":   {fault.Errorf(fault.Internal, "x", "again: %w", ours), false},
		"foreign":           {foreign, true},
		"foreign, wrapped":  {fault.Wrap("x", foreign), true},
		"foreign, in words": {fault.WithHint(fault.Errorf(fault.Unavailable, "x", "closed: %w", foreign), "wait"), true},
	} {
		if got := fault.HasForeignCause(c.err); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
