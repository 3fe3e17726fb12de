package faults_test

import (
	"io"
	"io/fs"
	"os"
	"sync/atomic"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"

	"tarn/cloud/local"
)

// disk is one file system for the engine and for the bodies of objects. It can be full.
type disk struct {
	*vfs.MemFS
	full   atomic.Bool            // for the bodies
	nearly atomic.Bool            // for the engine
	making atomic.Pointer[func()] // called before the engine makes, links or renames a file
}

var _ local.Disk = (*disk)(nil)

func newDisk(fs *vfs.MemFS) *disk { return &disk{MemFS: fs} }

// engine is the view of the engine, which looks at the free space.
func (d *disk) engine() vfs.FS { return usage{d.MemFS, d} }

type usage struct {
	*vfs.MemFS
	d *disk
}

func (u usage) GetDiskUsage(string) (vfs.DiskUsage, error) {
	if u.d.nearly.Load() {
		return vfs.DiskUsage{AvailBytes: 1 << 20, TotalBytes: 1 << 40, UsedBytes: 1<<40 - 1<<20}, nil
	}
	return vfs.DiskUsage{AvailBytes: 1 << 39, TotalBytes: 1 << 40, UsedBytes: 1 << 39}, nil
}

func (u usage) moment() {
	if f := u.d.making.Load(); f != nil {
		(*f)()
	}
}

func (u usage) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	u.moment()
	return u.MemFS.Create(name, c)
}

func (u usage) Link(from, to string) error {
	u.moment()
	return u.MemFS.Link(from, to)
}

func (u usage) Rename(from, to string) error {
	u.moment()
	return u.MemFS.Rename(from, to)
}

func (d *disk) MakeDirs(dir string) error { return d.MkdirAll(dir, 0o700) }

func (d *disk) Create(path string) (local.File, error) {
	if _, err := d.Stat(path); err == nil {
		return nil, fs.ErrExist
	}
	f, err := d.MemFS.Create(path, vfs.WriteCategoryUnspecified)
	if err != nil {
		return nil, err
	}
	return &file{File: f, disk: d}, nil
}

func (d *disk) Open(path string) (local.File, error) {
	f, err := d.MemFS.Open(path)
	if err != nil {
		return nil, err
	}
	return &file{File: f, disk: d}, nil
}

func (d *disk) ReadDir(dir string) ([]fs.DirEntry, error) {
	names, err := d.List(dir)
	var all []fs.DirEntry
	for _, n := range names {
		if info, err := d.Stat(d.PathJoin(dir, n)); err == nil {
			all = append(all, fs.FileInfoToDirEntry(info))
		}
	}
	return all, err
}

func (d *disk) SyncDir(dir string) error {
	f, err := d.OpenDir(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return f.Sync()
}

// file is a file in memory that can seek.
type file struct {
	vfs.File
	disk *disk
	at   int64
}

func (f *file) Read(p []byte) (int, error) {
	n, err := f.ReadAt(p, f.at)
	f.at += int64(n)
	if n > 0 {
		err = nil
	}
	return n, err
}

func (f *file) Seek(offset int64, whence int) (int64, error) {
	if whence != io.SeekStart {
		return 0, syscall.EINVAL
	}
	f.at = offset
	return offset, nil
}

func (f *file) Write(p []byte) (int, error) {
	if f.disk.full.Load() {
		return 0, &os.PathError{Op: "write", Path: "/house", Err: syscall.ENOSPC}
	}
	return f.File.Write(p)
}

func (f *file) Stat() (fs.FileInfo, error) { return f.File.Stat() }
