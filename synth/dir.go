package synth

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"

	"tarn/fault"
)

// Summary says what WriteDir wrote.
type Summary struct {
	Resources int64
	Bytes     int64  // of all files, line ends included
	Types     []File // in the order of their names
}

// File is one file of a Summary: all resources of a type, one a line.
type File struct {
	Type      string
	Path      string
	Resources int64
	Bytes     int64
}

// WriteDir writes the population into a folder, which it makes if need be, as one Type.ndjson for each type. The files
// bear their names only when all are complete and on disk; if that fails, or ctx ends first, none is left. It replaces
// nothing: a file that is there already is fault.Exists. Bad Options are fault.Invalid.
func WriteDir(ctx context.Context, dir string, opts Options) (Summary, error) {
	const op = "synth.WriteDir"
	if err := opts.Validate(); err != nil {
		return Summary{}, fault.Wrap(op, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return Summary{}, fault.Errorf(fault.Invalid, op, "the folder %s cannot be made: %w", dir, err)
	}
	out := folder{dir: dir, files: map[string]*outfile{}}
	if err := out.write(ctx, opts); err != nil {
		out.discard()
		return Summary{}, fault.Wrap(op, err)
	}
	return out.summary(), nil
}

// folder is the files being written.
type folder struct {
	dir   string
	files map[string]*outfile
}

type outfile struct {
	File
	f     *os.File
	w     *bufio.Writer
	named bool
}

// partial is what a file is called until it is complete.
func (o *outfile) partial() string { return o.Path + ".partial" }

func (d *folder) write(ctx context.Context, opts Options) error {
	n := 0
	for r := range Parallel(opts, runtime.GOMAXPROCS(0)) {
		if n++; n%256 == 0 && ctx.Err() != nil {
			return givenUp(ctx)
		}
		o, err := d.file(r.Type)
		if err != nil {
			return err
		}
		o.Resources++
		o.Bytes += int64(len(r.JSON)) + 1
		o.w.Write(r.JSON) // bufio keeps the first error for Flush
		if err := o.w.WriteByte('\n'); err != nil {
			return unwritable(o, err)
		}
	}
	if ctx.Err() != nil {
		return givenUp(ctx)
	}
	for _, o := range d.files {
		if err := errors.Join(o.w.Flush(), o.f.Sync(), o.f.Close()); err != nil {
			return unwritable(o, err)
		}
	}
	for _, o := range d.files {
		if err := os.Link(o.partial(), o.Path); err != nil {
			return unnamed(o, err)
		}
		o.named = true
	}
	for _, o := range d.files {
		os.Remove(o.partial()) // the second name; a leftover harms nobody
	}
	return syncDir(d.dir)
}

// file is the file of a type, opened when its first resource comes.
func (d *folder) file(kind string) (*outfile, error) {
	if o := d.files[kind]; o != nil {
		return o, nil
	}
	o := &outfile{File: File{Type: kind, Path: filepath.Join(d.dir, kind+".ndjson")}}
	if _, err := os.Lstat(o.Path); err == nil {
		return nil, unnamed(o, os.ErrExist)
	}
	f, err := os.OpenFile(o.partial(), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if errors.Is(err, os.ErrExist) {
		return nil, fault.WithHint(fault.Errorf(fault.Exists, "", "%s is there already", o.partial()),
			"another run is writing into this folder, or one was killed: then remove the file")
	}
	if err != nil {
		return nil, unwritable(o, err)
	}
	o.f, o.w = f, bufio.NewWriterSize(f, 256<<10)
	d.files[kind] = o
	return o, nil
}

// discard takes back everything that was written.
func (d *folder) discard() {
	for _, o := range d.files {
		o.f.Close()
		os.Remove(o.partial())
		if o.named {
			os.Remove(o.Path)
		}
	}
}

func (d *folder) summary() Summary {
	var s Summary
	for _, o := range d.files {
		s.Resources += o.Resources
		s.Bytes += o.Bytes
		s.Types = append(s.Types, o.File)
	}
	slices.SortFunc(s.Types, func(a, b File) int { return cmp.Compare(a.Type, b.Type) })
	return s
}

func givenUp(ctx context.Context) error {
	return fault.Errorf(fault.Unavailable, "", "writing the population was given up: %w", context.Cause(ctx))
}

func unwritable(o *outfile, err error) error {
	return fault.WithHint(fault.Errorf(fault.Unavailable, "", "%s cannot be written: %w", o.Path, err),
		"check the free space and the permissions of the folder")
}

func unnamed(o *outfile, err error) error {
	if errors.Is(err, os.ErrExist) {
		return fault.WithHint(fault.Errorf(fault.Exists, "", "%s is there already", o.Path), "choose an empty folder, or move the files away")
	}
	return unwritable(o, err)
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fault.Errorf(fault.Unavailable, "", "%s cannot be opened: %w", dir, err)
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fault.Errorf(fault.Unavailable, "", "%s cannot be put on disk: %w", dir, err)
	}
	return nil
}
