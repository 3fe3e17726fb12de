package pebble

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strconv"
	"sync/atomic"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"tarn/fault"
)

func errClosed(op string) error {
	return fault.Errorf(fault.Gone, op, "the engine is closed")
}

func errDropped(op string) error {
	return fault.Errorf(fault.Gone, op, "the space has been dropped or closed")
}

// translate gives an error of Pebble or of the disk its kind; ours and the context's pass as they are.
func translate(op string, err error) error {
	var ours *fault.Error
	switch {
	case err == nil:
		return nil
	case errors.As(err, &ours), errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return err
	case errors.Is(err, pebble.ErrClosed):
		return errDropped(op)
	case pebble.IsCorruptionError(err):
		return fault.Errorf(fault.Internal, op, "the store is damaged on the disk: %w", err)
	case vfs.IsNoSpaceError(err):
		return fault.WithHint(fault.Errorf(fault.Unavailable, op, "the disk is full: %w", err), "free some disk space")
	default:
		return fault.Errorf(fault.Unavailable, op, "the disk failed: %w", err)
	}
}

func isNotExist(err error) bool { return errors.Is(err, fs.ErrNotExist) }

func itoa(n int) string { return strconv.Itoa(n) }

// wreck is Pebble's logger. Pebble ends the process by Fatalf when it cannot write its manifest, and by a panic when it
// cannot write its log, which spaceFS prevents. wreck remembers the first such failure, and the space refuses
// everything from then on: what the log holds is unknown until it is opened again.
type wreck struct{ why atomic.Pointer[string] }

// Infof drops the message: rooms below the edge do not log.
func (w *wreck) Infof(string, ...any) {}

// Errorf drops the message: whoever asked gets the error itself.
func (w *wreck) Errorf(string, ...any) {}

// Fatalf remembers that the database must not be used any more.
func (w *wreck) Fatalf(format string, args ...any) {
	msg := fmt.Errorf(format, args...).Error()
	w.why.CompareAndSwap(nil, &msg)
}

// check reports the failure that wrecked the database, if any.
func (w *wreck) check(op string) error {
	if why := w.why.Load(); why != nil {
		return fault.WithHint(fault.Errorf(fault.Unavailable, op, "the store could not write to its disk: %s", *why),
			"see to the disk, then restart the server: it recovers every write that was confirmed")
	}
	return nil
}
