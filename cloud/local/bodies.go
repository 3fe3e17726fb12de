package local

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"path/filepath"
	"sync"

	"tarn/fault"
)

// bodyID names the file of one body, and is the salt from which its key is derived. Each is used once.
type bodyID [16]byte

func newBodyID() bodyID {
	var id bodyID
	_, _ = rand.Read(id[:]) // never fails
	return id
}

func (id bodyID) String() string { return hex.EncodeToString(id[:]) }

// body is one file: the whole of an object, or one part of a multipart upload.
type body struct {
	ID   bodyID
	Size int64 // bytes of plain text
}

// bodies is the folder of body files: root/BUCKET/xx/ID, xx the first two digits of ID. It knows which files are being
// written and which are being read, so that sweeping and deleting leave them alone. It is safe for concurrent use.
type bodies struct {
	disk Disk
	root string

	mu      sync.Mutex
	writing map[bodyID]bool // made by this process, their record not committed yet
	pins    map[bodyID]*pin // by an object's first body
	dirs    map[string]bool // folders that are known to be there, durably
}

type pin struct {
	list    []body
	readers int
	doomed  func() // what to do when the last reader leaves, nil while the object lives
	removed bool   // no more readers may come
}

func openBodies(disk Disk, root string) (*bodies, error) {
	if err := disk.MakeDirs(root); err != nil {
		return nil, fault.Errorf(fault.Unavailable, "local.bodies", "the folder of object bodies cannot be made: %w", err)
	}
	b := &bodies{disk: disk, root: root, writing: map[bodyID]bool{}, pins: map[bodyID]*pin{}, dirs: map[string]bool{}}
	for _, dir := range []string{filepath.Dir(root), filepath.Dir(filepath.Dir(root))} {
		if err := b.syncDir(dir); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func (b *bodies) path(bucket string, id bodyID) string {
	name := id.String()
	return filepath.Join(b.root, bucket, name[:2], name)
}

// create makes the file of a new body. The body counts as being written until settle.
func (b *bodies) create(bucket string) (bodyID, File, error) {
	id := newBodyID()
	b.mu.Lock()
	b.writing[id] = true
	b.mu.Unlock()
	f, err := b.createFile(bucket, id)
	if err != nil {
		b.settle(id)
		return id, nil, fault.Errorf(fault.Unavailable, "local.bodies", "a body cannot be written: %w", err)
	}
	return id, f, nil
}

func (b *bodies) createFile(bucket string, id bodyID) (File, error) {
	path := b.path(bucket, id)
	for range 3 { // a bucket's folder goes with the bucket, maybe just now
		if err := b.makeDir(filepath.Dir(path)); err != nil {
			return nil, err
		}
		f, err := b.disk.Create(path)
		if !errors.Is(err, fs.ErrNotExist) {
			return f, err
		}
		b.forgetDirs(filepath.Join(b.root, bucket))
	}
	return nil, fs.ErrNotExist
}

// makeDir makes a folder of the form root/BUCKET/xx durably.
func (b *bodies) makeDir(dir string) error {
	b.mu.Lock()
	known := b.dirs[dir]
	b.mu.Unlock()
	if known {
		return nil
	}
	if err := b.disk.MakeDirs(dir); err != nil {
		return err
	}
	for _, d := range []string{filepath.Dir(dir), b.root} {
		if err := b.syncDir(d); err != nil {
			return err
		}
	}
	b.mu.Lock()
	b.dirs[dir] = true
	b.mu.Unlock()
	return nil
}

func (b *bodies) forgetDirs(bucketDir string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for d := range b.dirs {
		if filepath.Dir(d) == bucketDir {
			delete(b.dirs, d)
		}
	}
}

// finish makes a written file durable, its name too, and closes it.
func (b *bodies) finish(bucket string, id bodyID, f File) error {
	err := f.Sync()
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = b.syncDir(filepath.Dir(b.path(bucket, id)))
	}
	if err != nil {
		return fault.Errorf(fault.Unavailable, "local.bodies", "a body cannot be written: %w", err)
	}
	return nil
}

// settle ends the writing of a body: its record is committed, or its file removed.
func (b *bodies) settle(id bodyID) {
	b.mu.Lock()
	delete(b.writing, id)
	b.mu.Unlock()
}

// drop removes the file of a body that never got a record.
func (b *bodies) drop(bucket string, id bodyID) {
	_ = b.disk.Remove(b.path(bucket, id))
	b.settle(id)
}

// isWriting reports whether this process is about to commit a record for the body.
func (b *bodies) isWriting(id bodyID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.writing[id]
}

// pinned are all bodies of the objects that are being read.
func (b *bodies) pinned() map[bodyID]bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := map[bodyID]bool{}
	for _, p := range b.pins {
		for _, x := range p.list {
			all[x.ID] = true
		}
	}
	return all
}

// pin keeps the files of an object from being removed while it is read. It is false where they are going already: then
// the object's record has changed and must be read again.
func (b *bodies) pin(list []body) bool {
	if len(list) == 0 {
		return true
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	p := b.pins[list[0].ID]
	if p == nil {
		p = &pin{list: list}
		b.pins[list[0].ID] = p
	}
	if p.removed {
		return false
	}
	p.readers++
	return true
}

// unpin is the end of what pin began.
func (b *bodies) unpin(list []body) {
	if len(list) == 0 {
		return
	}
	b.mu.Lock()
	p := b.pins[list[0].ID]
	p.readers--
	var then func()
	if p.readers == 0 {
		then = p.doomed
		delete(b.pins, list[0].ID)
	}
	b.mu.Unlock()
	if then != nil {
		then()
	}
}

// remove deletes the files of an object whose record is gone, now or when its last reader leaves. What cannot be
// deleted is left to Sweep.
func (b *bodies) remove(bucket string, list []body) {
	if len(list) == 0 {
		return
	}
	first := list[0].ID
	unlink := func() {
		for _, x := range list {
			_ = b.disk.Remove(b.path(bucket, x.ID))
		}
	}
	b.mu.Lock()
	if p := b.pins[first]; p != nil {
		p.doomed, p.removed = unlink, true
		b.mu.Unlock()
		return
	}
	b.pins[first] = &pin{removed: true}
	b.mu.Unlock()
	unlink()
	b.mu.Lock()
	delete(b.pins, first)
	b.mu.Unlock()
}

// removeBucket deletes the folder of a bucket that is gone, as far as it is empty.
func (b *bodies) removeBucket(bucket string) {
	dir := filepath.Join(b.root, bucket)
	b.forgetDirs(dir)
	subs, _ := b.disk.ReadDir(dir)
	for _, s := range subs {
		_ = b.disk.Remove(filepath.Join(dir, s.Name())) // refuses a folder that is not empty
	}
	_ = b.disk.Remove(dir)
}

func (b *bodies) syncDir(dir string) error {
	if err := b.disk.SyncDir(dir); err != nil {
		return fault.Errorf(fault.Unavailable, "local.bodies", "a folder cannot be synced: %w", err)
	}
	return nil
}
