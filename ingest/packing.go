package ingest

import (
	"bufio"
	"context"
	"errors"
	"io"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"tarn/fault"
)

// packing is how a file of the input is packed, which the end of its key tells.
type packing uint8

const (
	plain packing = iota
	gzipped
	zstandard
)

// isInput reports whether an object holds lines to import.
func isInput(key string) bool {
	for _, end := range [...]string{".ndjson", ".ndjson.gz", ".ndjson.zst"} {
		if strings.HasSuffix(key, end) {
			return true
		}
	}
	return false
}

func packingOf(key string) packing {
	switch {
	case strings.HasSuffix(key, ".gz"):
		return gzipped
	case strings.HasSuffix(key, ".zst"):
		return zstandard
	}
	return plain
}

// maxWindow bounds the memory that a zstd frame may ask for.
const maxWindow = 128 << 20

// open unpacks r and passes over offset bytes of what comes out: a job that was stopped reads a packed file again from its
// start, which may take long though little is read: ctx is asked all the while. It closes r at the end, and when it fails.
func (p packing) open(ctx context.Context, r io.ReadCloser, uri string, offset int64, most unpackLimit) (io.ReadCloser, error) {
	u := &unpacked{raw: &remembering{r: r}, uri: uri, most: most, left: most.bytes - offset}
	in := bufio.NewReaderSize(u.raw, 256<<10)
	var err error
	if p == gzipped {
		var z *gzip.Reader
		if z, err = gzip.NewReader(in); err == nil {
			u.r = z
		}
	} else {
		var z *zstd.Decoder
		if z, err = zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow)); err == nil {
			u.r, u.free = z, z.Close
		}
	}
	if err == nil {
		_, err = io.CopyN(discard{ctx}, u.r, offset)
	}
	if err != nil {
		_ = u.Close()
		return nil, u.wrong(err)
	}
	return u, nil
}

// discard takes everything until its context ends.
type discard struct{ ctx context.Context }

func (d discard) Write(p []byte) (int, error) { return len(p), d.ctx.Err() }

// unpacked is a file that is being unpacked.
type unpacked struct {
	raw  *remembering
	r    io.Reader
	free func() // nil, or lets go of the decoder
	uri  string
	most unpackLimit
	left int64 // of it
}

// unpackLimit is how many bytes may come out of a packed file, and why no more: little input must not keep an import
// busy for ever.
type unpackLimit struct {
	bytes int64
	whose string // "one file", or who else may not have more
}

// Read implements io.Reader.
func (u *unpacked) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	if u.left -= int64(n); u.left < 0 {
		return 0, fault.WithHint(fault.Errorf(fault.Invalid, "ingest", "The input file %s has more than %d bytes when it is unpacked, and %s may not have more.",
			u.uri, u.most.bytes, u.most.whose), "Divide it into several files, or the input into several imports.")
	}
	if err != nil && err != io.EOF {
		err = u.wrong(err)
	}
	return n, err
}

// Close implements io.Closer.
func (u *unpacked) Close() error {
	if u.free != nil {
		u.free()
		u.free = nil
	}
	return u.raw.r.Close()
}

// wrong is the error of a file that cannot be unpacked: that of its bucket, if that is why.
func (u *unpacked) wrong(err error) error {
	if u.raw.err != nil {
		return u.raw.err
	}
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return fault.WithHint(fault.Errorf(fault.Invalid, "ingest", "The input file %s cannot be unpacked: it is damaged, or not packed as its name says.", u.uri),
		"Files whose names end in .gz are gzip, those that end in .zst are Zstandard.")
}

// remembering keeps the error that ended the reading of an object, but for its end.
type remembering struct {
	r   io.ReadCloser
	err error
}

// Read implements io.Reader.
func (r *remembering) Read(p []byte) (int, error) {
	n, err := r.r.Read(p)
	if err != nil && err != io.EOF {
		r.err = err
	}
	return n, err
}
