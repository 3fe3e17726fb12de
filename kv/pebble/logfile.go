package pebble

import (
	"os"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// logFile is a file of the write-ahead log, or its folder, for writing. Its first error wrecks the database; Pebble
// does not learn of it, nor of anything after it.
type logFile struct {
	vfs.File // nil if it could not be made
	wreck    *wreck
}

// run does one operation on a file that is well, and reports success.
func (f *logFile) run(do func() error) error {
	if f.File == nil || f.wreck.why.Load() != nil {
		return nil
	}
	if err := do(); err != nil {
		f.wreck.Fatalf("%w", err)
	}
	return nil
}

func (f *logFile) Write(p []byte) (int, error) {
	return len(p), f.run(func() error { _, err := f.File.Write(p); return err })
}

func (f *logFile) Sync() error {
	return f.run(func() error { return f.File.Sync() })
}

func (f *logFile) SyncData() error {
	return f.run(func() error { return f.File.SyncData() })
}

func (f *logFile) SyncTo(length int64) (full bool, err error) {
	err = f.run(func() (err error) { full, err = f.File.SyncTo(length); return err })
	return full, err
}

func (f *logFile) Preallocate(offset, length int64) error {
	return f.run(func() error { return f.File.Preallocate(offset, length) })
}

func (f *logFile) Close() error {
	if f.File == nil {
		return nil
	}
	if err := f.File.Close(); err != nil {
		f.wreck.Fatalf("%w", err)
	}
	return nil
}

// Stat is that of the file, or of an empty one.
func (f *logFile) Stat() (info vfs.FileInfo, err error) {
	err = f.run(func() error { info, err = f.File.Stat(); return err })
	if info == nil {
		info = noFile{}
	}
	return info, err
}

// noFile describes a log that could not be made.
type noFile struct{ os.FileInfo }

func (noFile) Size() int64            { return 0 }
func (noFile) DeviceID() vfs.DeviceID { return vfs.DeviceID{} }

// Fd is that of the file, or one that says that there is none.
func (f *logFile) Fd() uintptr {
	if f.File == nil {
		return vfs.InvalidFd
	}
	return f.File.Fd()
}
