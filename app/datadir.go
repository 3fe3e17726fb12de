package app

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"tarn/access/seal"
	"tarn/fault"
)

// ErrInUse is in the chain of Open's error when another process holds the data directory.
var ErrInUse = errors.New("data directory in use")

// dataDir is the data directory: store/ (engine), cloud/ (objects), keys/, aws/ (profile for clients), tmp/. One
// process holds its lock.
type dataDir struct {
	path string
	lock *os.File
}

// openDataDir makes the directory where it is not there and takes its lock. Where another process holds it, the error
// says which.
func openDataDir(path string) (*dataDir, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "app", "data directory: %v", err)
	}
	d := &dataDir{path: path}
	for _, sub := range []string{"", "store", "cloud", "keys", "aws", "tmp"} {
		if err := makeDir(d.at(sub)); err != nil {
			return nil, fault.Errorf(fault.Unavailable, "app", "The data directory cannot be used: %v.", err)
		}
	}
	d.lock, err = os.OpenFile(d.at("lock"), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fault.Errorf(fault.Unavailable, "app", "The data directory cannot be used: %v.", err)
	}
	if err := syscall.Flock(int(d.lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		holder, _ := os.ReadFile(d.at("lock"))
		return nil, errors.Join(fault.WithHint(
			fault.Errorf(fault.Conflict, "app", "The data directory %s is in use by another process (%s).", path, orUnknown(strings.TrimSpace(string(holder)))),
			"Stop that process, or use another --data-dir."), ErrInUse, d.lock.Close())
	}
	if err := errors.Join(d.lock.Truncate(0), writeAt(d.lock, fmt.Sprintf("pid %d", os.Getpid()))); err != nil {
		return nil, errors.Join(fault.Errorf(fault.Unavailable, "app", "The data directory cannot be written: %v.", err), d.lock.Close())
	}
	return d, nil
}

// makeDir makes a folder and those above it, as far as they are not there, each durable in the one above: what is synced
// in a folder whose own name is not can go with a power failure. The name of a folder that is there is synced again,
// since whoever made it may have died before.
func makeDir(path string) error {
	parent := filepath.Dir(path)
	if _, err := os.Stat(path); err != nil {
		if parent != path {
			if err := makeDir(parent); err != nil {
				return err
			}
		}
		if err := os.MkdirAll(path, 0o700); err != nil {
			return err
		}
	}
	d, err := os.Open(parent)
	if errors.Is(err, fs.ErrPermission) { // a folder above that this user may not read was not made by us
		return nil
	}
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func writeAt(f *os.File, text string) error {
	_, err := f.WriteAt([]byte(text+"\n"), 0)
	return err
}

func orUnknown(s string) string {
	if s == "" {
		return "unknown"
	}
	return s
}

func (d *dataDir) at(elem ...string) string {
	return filepath.Join(append([]string{d.path}, elem...)...)
}

// close frees the lock; the file stays.
func (d *dataDir) close() error { return d.lock.Close() }

// master is the master key: from the file given, from a passphrase, or from keys/master.key. The latter, and the salt of
// a passphrase, are made where there are no rows yet, and only there: rows whose key is lost must not be given another.
func (d *dataDir) master(file, passphrase string, fresh bool) ([]byte, error) {
	if file != "" {
		b, err := readSecret(file)
		if errors.Is(err, fs.ErrNotExist) {
			return nil, fault.WithHint(err, "Make one with: (umask 077; head -c %d /dev/urandom > %s)", seal.MasterSize, file)
		}
		if err != nil {
			return nil, err
		}
		return seal.ReadMaster(bytes.NewReader(b))
	}
	name, make := "master.key", seal.NewMaster
	if passphrase != "" {
		name, make = "salt", func() []byte { return random(seal.SaltSize) }
	}
	path := d.at("keys", name)
	if _, err := os.Stat(path); !fresh && errors.Is(err, fs.ErrNotExist) {
		return nil, fault.WithHint(fault.Errorf(fault.NotFound, "app", "The key file %s is missing, and what this server holds is sealed with it.", path),
			"Restore it from a backup, or name the master key with --master-key-file. Without it nobody can read the objects and secrets.")
	}
	b, err := d.secret(path, make)
	if err != nil {
		return nil, err
	}
	if passphrase != "" {
		return seal.FromPassphrase([]byte(passphrase), b)
	}
	return seal.ReadMaster(bytes.NewReader(b))
}

// secret reads a file of random bytes, making it at the first time: whole or not at all.
func (d *dataDir) secret(path string, make func() []byte) ([]byte, error) {
	b, err := readSecret(path)
	if !errors.Is(err, fs.ErrNotExist) {
		return b, err
	}
	b = make()
	return b, writeFile(path, b)
}

// readSecret reads a file that nobody else may read.
func readSecret(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fault.Errorf(fault.NotFound, "app", "key file: %w", err)
	}
	if info.Mode().Perm()&0o077 != 0 {
		return nil, fault.WithHint(fault.Errorf(fault.Denied, "app", "The key file %s can be read by others (mode %o).", path, info.Mode().Perm()), "chmod 600 %s", path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fault.Errorf(fault.Unavailable, "app", "key file: %w", err)
	}
	return b, nil
}

// writeFile writes a file of mode 0600 durably, whole or not at all.
func writeFile(path string, b []byte) error {
	dir := filepath.Dir(path)
	f, err := os.CreateTemp(dir, ".new-*") // of mode 0600
	if err != nil {
		return fault.Errorf(fault.Unavailable, "app", "%w", err)
	}
	_, err = f.Write(b)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err == nil {
		var folder *os.File
		if folder, err = os.Open(dir); err == nil {
			err = errors.Join(folder.Sync(), folder.Close())
		}
	}
	if err != nil {
		return errors.Join(fault.Errorf(fault.Unavailable, "app", "%s cannot be written: %w", path, err), os.Remove(f.Name()))
	}
	return nil
}
