package local

import (
	"errors"
	"io"
	"io/fs"
	"os"
)

// Disk is the file system on which the bodies of objects lie. What was written is sure to outlive a power failure when
// its file has been synced, and the folder that names it too.
type Disk interface {
	// MakeDirs makes a folder and those above it, as far as they are not there.
	MakeDirs(dir string) error
	// Create makes a file that is not there yet, else fs.ErrExist. The folder must be there, else fs.ErrNotExist.
	Create(path string) (File, error)
	Open(path string) (File, error)
	// Remove removes a file or an empty folder.
	Remove(path string) error
	ReadDir(dir string) ([]fs.DirEntry, error)
	// SyncDir makes the names in a folder durable.
	SyncDir(dir string) error
}

// File is an open file of a Disk.
type File interface {
	io.Reader
	io.Writer
	io.Seeker
	io.Closer
	Stat() (fs.FileInfo, error)
	// Sync makes what was written durable.
	Sync() error
}

// system is the operating system's file system.
type system struct{}

func (system) MakeDirs(dir string) error { return os.MkdirAll(dir, 0o700) }

func (system) Create(path string) (File, error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	return writeBehind(f), nil
}

func (system) Open(path string) (File, error) {
	f, err := os.Open(path)
	if err != nil { // else a nil *os.File would be a File that is not nil
		return nil, err
	}
	return f, nil
}

func (system) Remove(path string) error { return os.Remove(path) }

func (system) ReadDir(dir string) ([]fs.DirEntry, error) { return os.ReadDir(dir) }

func (system) SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
