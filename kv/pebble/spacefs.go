package pebble

import (
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

const (
	logDir    = "log"  // the folder of the write-ahead log within a space's directory
	logSuffix = ".log" // of its files
	// Pebble tries a failed flush again at once; so long a failure to make a file is held back.
	failurePause = 100 * time.Millisecond
)

// spaceFS is the file system of one space's database. It does two things that Pebble does not:
//
// The directory keeps its name above while it is renamed beneath, so a space is dropped, and its name free, while
// readers still hold its files.
//
// An error of the write-ahead log wrecks the database instead of ending the process, as Pebble would by a panic: Pebble
// is told that all is well, nobody else is, since every commit looks at the wreck before it is confirmed. From then on
// the other files stay as they are, so that what is opened next is what a power failure would have left.
type spaceFS struct {
	vfs.FS
	wreck    *wreck
	isLive   func() bool // whether compactions are to pause
	isFresh  atomic.Bool // a file of the log that is to be used again is replaced by a new one
	mu       sync.RWMutex
	from, to string // the directory's name above, and beneath
}

func newSpaceFS(fs vfs.FS, dir string, w *wreck, isLive func() bool) *spaceFS {
	return &spaceFS{FS: fs, wreck: w, isLive: isLive, from: dir, to: dir}
}

// move renames the directory from under its user.
func (m *spaceFS) move(_, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.FS.Rename(m.to, to); err != nil {
		return err
	}
	m.to = to
	return nil
}

func (m *spaceFS) place(name string) string {
	if rest, ok := strings.CutPrefix(name, m.from); ok && (rest == "" || os.IsPathSeparator(rest[0])) {
		return m.to + rest
	}
	return name
}

// newFile makes a file by create: for the log always, for other files unless the database is wrecked.
func (m *spaceFS) newFile(name string, create func() (vfs.File, error)) (vfs.File, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if strings.HasSuffix(name, logSuffix) {
		f, err := create()
		if err != nil {
			m.wreck.Fatalf("%w", err)
			f = nil
		}
		return &logFile{File: f, wreck: m.wreck}, nil
	}
	if err := m.frozen(); err != nil {
		return nil, err
	}
	f, err := create()
	if err != nil {
		time.Sleep(failurePause)
	}
	return f, err
}

// frozen is the reason why files must not change any more, if there is one.
func (m *spaceFS) frozen() error {
	err := m.wreck.check("pebble.spaceFS")
	if err != nil {
		time.Sleep(failurePause)
	}
	return err
}

// Create implements vfs.FS, as the methods below do.
func (m *spaceFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := m.newFile(name, func() (vfs.File, error) { return m.FS.Create(m.place(name), c) })
	if err == nil && c == compactionCategory {
		f = newPacedFile(f, m.isLive)
	}
	return f, err
}

func (m *spaceFS) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	return m.newFile(to, func() (vfs.File, error) {
		if !m.isFresh.Load() {
			return m.FS.ReuseForWrite(m.place(from), m.place(to), c)
		}
		if err := m.FS.Remove(m.place(from)); err != nil {
			return nil, err
		}
		return m.FS.Create(m.place(to), c)
	})
}

func (m *spaceFS) Link(from, to string) error {
	return m.change(func() error { return m.FS.Link(m.place(from), m.place(to)) })
}

func (m *spaceFS) Rename(from, to string) error {
	return m.change(func() error { return m.FS.Rename(m.place(from), m.place(to)) })
}

func (m *spaceFS) Remove(name string) error {
	return m.change(func() error { return m.FS.Remove(m.place(name)) })
}

func (m *spaceFS) RemoveAll(name string) error {
	return m.change(func() error { return m.FS.RemoveAll(m.place(name)) })
}

func (m *spaceFS) change(do func() error) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	if err := m.frozen(); err != nil {
		return err
	}
	return do()
}

func (m *spaceFS) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.FS.Open(m.place(name), opts...)
}

func (m *spaceFS) OpenReadWrite(name string, c vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.FS.OpenReadWrite(m.place(name), c, opts...)
}

func (m *spaceFS) OpenDir(name string) (vfs.File, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	f, err := m.FS.OpenDir(m.place(name))
	if err == nil && name == m.FS.PathJoin(m.from, logDir) {
		f = &logFile{File: f, wreck: m.wreck}
	}
	return f, err
}

func (m *spaceFS) MkdirAll(dir string, _ os.FileMode) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.FS.MkdirAll(m.place(dir), 0o700)
}

// Lock does nothing: the engine holds the lock of the whole directory, and a name that was dropped and made again
// must not meet the lock of its predecessor.
func (m *spaceFS) Lock(string) (io.Closer, error) { return io.NopCloser(nil), nil }

func (m *spaceFS) List(dir string) ([]string, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.FS.List(m.place(dir))
}

func (m *spaceFS) Stat(name string) (vfs.FileInfo, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.FS.Stat(m.place(name))
}

func (m *spaceFS) GetDiskUsage(path string) (vfs.DiskUsage, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.FS.GetDiskUsage(m.place(path))
}

// Unwrap is the file system beneath.
func (m *spaceFS) Unwrap() vfs.FS { return m.FS }
