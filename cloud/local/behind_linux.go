package local

import (
	"os"

	"golang.org/x/sys/unix"
)

// behindBytes is how much of a file is given to the disk at once.
const behindBytes = 256 << 10

// behind is a file that is given to the disk while it is written. Sync then finds little left to write: else the log of
// a data store on the same disk would wait behind a whole body each time that one is made durable.
type behind struct {
	File           // without what *os.File has beyond it, as ReadFrom would go past Write
	fd             *os.File
	written, given int64
}

func (f *behind) Write(p []byte) (int, error) {
	n, err := f.File.Write(p)
	if f.written += int64(n); f.written-f.given >= behindBytes {
		f.give()
	}
	return n, err
}

// give starts the writing of what is not given yet. It promises nothing: what could not be written is told by Sync.
func (f *behind) give() {
	from, length := f.given, f.written-f.given
	f.given = f.written
	c, err := f.fd.SyscallConn()
	if err != nil {
		return
	}
	_ = c.Control(func(fd uintptr) { _ = unix.SyncFileRange(int(fd), from, length, unix.SYNC_FILE_RANGE_WRITE) })
}

// writeBehind makes the writes of a new file such.
func writeBehind(f *os.File) File { return &behind{File: f, fd: f} }
