package pebble

import (
	"errors"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// makeDir makes dir and its parents where they are missing, for the owner alone, each durable in the one above.
func makeDir(fs vfs.FS, dir string) error {
	if _, err := fs.Stat(dir); err == nil {
		return nil
	}
	parent := fs.PathDir(dir)
	if parent != dir {
		if err := makeDir(fs, parent); err != nil {
			return err
		}
	}
	if err := fs.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	return syncDir(fs, parent)
}

func syncDir(fs vfs.FS, dir string) error {
	f, err := fs.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// movingFS is a view of a file system in which one directory keeps its name while it is renamed beneath: so a space is
// dropped, and its name free, while readers still hold its files.
type movingFS struct {
	vfs.FS
	mu       sync.RWMutex
	from, to string // the directory's name above, and beneath
}

func newMovingFS(fs vfs.FS, dir string) *movingFS { return &movingFS{FS: fs, from: dir, to: dir} }

// move renames the directory from under its user.
func (m *movingFS) move(_, to string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.FS.Rename(m.to, to); err != nil {
		return err
	}
	m.to = to
	return nil
}

func (m *movingFS) place(name string) string {
	if rest, ok := strings.CutPrefix(name, m.from); ok && (rest == "" || os.IsPathSeparator(rest[0])) {
		return m.to + rest
	}
	return name
}

// Create implements vfs.FS, as the methods below do.
func (m *movingFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.FS.Create(m.place(name), c)
}

func (m *movingFS) Link(from, to string) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.FS.Link(m.place(from), m.place(to))
}

func (m *movingFS) Open(name string, opts ...vfs.OpenOption) (vfs.File, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.FS.Open(m.place(name), opts...)
}

func (m *movingFS) OpenReadWrite(name string, c vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.FS.OpenReadWrite(m.place(name), c, opts...)
}

func (m *movingFS) OpenDir(name string) (vfs.File, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.FS.OpenDir(m.place(name))
}

func (m *movingFS) Remove(name string) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.FS.Remove(m.place(name))
}

func (m *movingFS) RemoveAll(name string) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.FS.RemoveAll(m.place(name))
}

func (m *movingFS) Rename(from, to string) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.FS.Rename(m.place(from), m.place(to))
}

func (m *movingFS) ReuseForWrite(from, to string, c vfs.DiskWriteCategory) (vfs.File, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.FS.ReuseForWrite(m.place(from), m.place(to), c)
}

func (m *movingFS) MkdirAll(dir string, _ os.FileMode) error {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.FS.MkdirAll(m.place(dir), 0o700)
}

// Lock does nothing: the engine holds the lock of the whole directory, and a name that was dropped and made again
// must not meet the lock of its predecessor.
func (m *movingFS) Lock(string) (io.Closer, error) { return io.NopCloser(nil), nil }

func (m *movingFS) List(dir string) ([]string, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.FS.List(m.place(dir))
}

func (m *movingFS) Stat(name string) (vfs.FileInfo, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.FS.Stat(m.place(name))
}

func (m *movingFS) GetDiskUsage(path string) (vfs.DiskUsage, error) {
	m.mu.RLock()
	defer m.mu.RUnlock()
	return m.FS.GetDiskUsage(m.place(path))
}

// Unwrap is the file system beneath.
func (m *movingFS) Unwrap() vfs.FS { return m.FS }
