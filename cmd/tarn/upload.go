package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"tarn/api/client"
	"tarn/fault"
)

// source is one file to be imported.
type source struct {
	path string // as the user knows it
	name string // below the upload's prefix, ending in .ndjson
	size int64
	zip  bool // to be unpacked
}

// gather finds the .ndjson and .ndjson.gz files that the arguments name: files as they are, folders with all below them.
func gather(args []string) ([]source, error) {
	var all []source
	seen := map[string]string{}
	add := func(path, name string, size int64) error {
		plain, zip := strings.CutSuffix(name, ".gz")
		if seen[plain] != "" {
			return usagef("Import them one after the other, or rename one.", "%s and %s would be one object.", seen[plain], path)
		}
		seen[plain] = path
		all = append(all, source{path, filepath.ToSlash(plain), size, zip})
		return nil
	}
	for _, arg := range args {
		info, err := os.Stat(arg)
		if err != nil {
			return nil, usagef("Name .ndjson files, or folders that hold them.", "%v.", err)
		}
		if !info.IsDir() {
			if !isInput(arg) {
				return nil, usagef("Import takes files that end in .ndjson or .ndjson.gz, a resource a line.", "%s is no .ndjson file.", arg)
			}
			if err := add(arg, filepath.Base(arg), info.Size()); err != nil {
				return nil, err
			}
			continue
		}
		before := len(all)
		err = filepath.WalkDir(arg, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !isInput(path) {
				return err
			}
			info, err := os.Stat(path) // of what a link leads to
			if err != nil || !info.Mode().IsRegular() {
				return err
			}
			name, err := filepath.Rel(arg, path)
			if err != nil {
				return err
			}
			return add(path, name, info.Size())
		})
		var usage *usageError
		if errors.As(err, &usage) {
			return nil, err
		}
		if err != nil {
			return nil, &failedLocally{fault.Errorf(fault.Unavailable, "", "%s cannot be read: %v.", arg, err)}
		}
		if len(all) == before {
			return nil, usagef("Import takes files that end in .ndjson or .ndjson.gz, a resource a line.", "The folder %s holds no .ndjson file.", arg)
		}
	}
	return all, nil
}

func isInput(path string) bool {
	return strings.HasSuffix(path, ".ndjson") || strings.HasSuffix(path, ".ndjson.gz")
}

// upload is a set of files in a bucket, below a prefix of their own.
type upload struct {
	bucket, prefix string
	bytes, lines   int64
}

// uri is where the files are.
func (u *upload) uri() string { return "s3://" + u.bucket + "/" + u.prefix }

// uploadPrefix is a fresh folder, named so that people can tell when it was made.
func uploadPrefix(now time.Time) string {
	return "upload-" + now.UTC().Format("20060102-150405") + "-" + strings.ToLower(rand.Text()[:6]) + "/"
}

// uploadsAtOnce bounds the files under way: each is read once for its checksum and once to be sent.
const uploadsAtOnce = 4

// send uploads files. The server checks each against its SHA-256, which is part of the signature.
func send(ctx context.Context, s *screen, api *client.Client, bucket, prefix string, files []source) (*upload, error) {
	u := &upload{bucket: bucket, prefix: prefix}
	var total int64
	for _, f := range files {
		total += f.size
	}
	b := s.newBar("Uploading", total, unitBytes)
	defer b.end()
	var sent, length, lines atomic.Int64
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(uploadsAtOnce)
	for _, f := range files {
		g.Go(func() error {
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			n, l, err := sendFile(ctx, api, bucket, prefix+f.name, f)
			if err != nil {
				return err
			}
			length.Add(n)
			lines.Add(l)
			b.set(sent.Add(f.size), total)
			return nil
		})
	}
	err := g.Wait()
	u.bytes, u.lines = length.Load(), lines.Load()
	return u, err
}

// maxObject is how much one PutObject takes.
const maxObject = 5 << 30

func sendFile(ctx context.Context, api *client.Client, bucket, key string, f source) (length, lines int64, err error) {
	in, err := os.Open(f.path)
	if err != nil {
		return 0, 0, &failedLocally{fault.Errorf(fault.Unavailable, "", "%v.", err)}
	}
	defer func() { _ = in.Close() }() // it was only read
	if f.zip {
		plain, err := unpack(in)
		if err != nil {
			return 0, 0, &failedLocally{fault.Errorf(fault.Invalid, "", "%s cannot be unpacked: %v.", f.path, err)}
		}
		in = plain
		defer func() { _ = errors.Join(plain.Close(), os.Remove(plain.Name())) }()
	}
	info, err := in.Stat()
	if err != nil {
		return 0, 0, &failedLocally{fault.Errorf(fault.Unavailable, "", "%v.", err)}
	}
	if info.Size() > maxObject {
		return 0, 0, &failedLocally{fault.WithHint(fault.Errorf(fault.TooLarge, "", "%s has %s; one object takes 5 GiB at most.", f.path, size(info.Size())),
			"Split it: split -C 1G --additional-suffix=.ndjson %s part-", quote(f.path))}
	}
	counted := &lineCounter{File: in}
	if err := api.PutObject(ctx, bucket, key, counted, info.Size()); err != nil {
		return 0, 0, err
	}
	return info.Size(), counted.lines, nil
}

// unpack writes what a gzip file holds into a temporary file, at whose beginning it stands then.
func unpack(in io.Reader) (*os.File, error) {
	zip, err := gzip.NewReader(in)
	if err != nil {
		return nil, err
	}
	out, err := os.CreateTemp("", "tarn-import-*.ndjson")
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(out, zip)
	if err == nil {
		err = zip.Close()
	}
	if err == nil {
		_, err = out.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(err, out.Close(), os.Remove(out.Name()))
	}
	return out, nil
}

// lineCounter counts the lines of a file while it is read for the first time, to its end.
type lineCounter struct {
	*os.File
	lines   int64
	last    byte
	counted bool
}

// Read implements io.Reader.
func (c *lineCounter) Read(p []byte) (int, error) {
	n, err := c.File.Read(p)
	if !c.counted {
		c.lines += int64(bytes.Count(p[:n], []byte{'\n'}))
		if n > 0 {
			c.last = p[n-1]
		}
		if err == io.EOF {
			c.counted = true
			if c.last != 0 && c.last != '\n' {
				c.lines++
			}
		}
	}
	return n, err
}

// WriteTo hides the file's own, which would pass Read by.
func (c *lineCounter) WriteTo(w io.Writer) (int64, error) {
	return io.Copy(w, struct{ io.Reader }{c})
}
