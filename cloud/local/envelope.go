package local

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"io"
	"sync"

	"github.com/minio/sio"

	"tarn/cloud"
	"tarn/fault"
)

// A body on disk is a DARE 2.0 stream: packages of 64 KiB, each encrypted and authenticated by AES-256-GCM under a key
// that serves this one file.
const (
	packagePlain = 64 << 10
	packageSize  = packagePlain + 32
	burst        = 16 * packageSize // of one write to the file
)

// bursts holds the buffers of writes and reads; as many are in use as bodies are being moved.
var bursts = sync.Pool{New: func() any { b := make([]byte, burst); return &b }}

// bodyKey is the key of one file: derived from the object's data key and the file's name, so that the parts of a
// multipart object share one wrapped data key and no two streams a key.
func bodyKey(dataKey []byte, id bodyID) []byte {
	h := hmac.New(sha256.New, dataKey)
	h.Write([]byte("tarn object body 1\x00"))
	h.Write(id[:])
	return h.Sum(nil)
}

func streamConfig(dataKey []byte, id bodyID) sio.Config {
	return sio.Config{MinVersion: sio.Version20, MaxVersion: sio.Version20, CipherSuites: []byte{sio.AES_256_GCM}, Key: bodyKey(dataKey, id)}
}

// encrypt writes r to f and returns how many bytes r had. Errors of r come back as they are.
func encrypt(ctx context.Context, f File, r io.Reader, dataKey []byte, id bodyID) (int64, error) {
	src := &counter{ctx: ctx, r: r}
	enc, err := sio.EncryptReader(src, streamConfig(dataKey, id))
	if err != nil {
		return 0, fault.Errorf(fault.Internal, "local.encrypt", "%w", err)
	}
	buf := bursts.Get().(*[]byte)
	defer bursts.Put(buf)
	for {
		n, err := enc.Read(*buf)
		if n > 0 {
			if _, werr := f.Write((*buf)[:n]); werr != nil {
				return src.n, fault.Errorf(fault.Unavailable, "local.encrypt", "a body cannot be written: %w", werr)
			}
		}
		if err == io.EOF {
			return src.n, nil
		}
		if err != nil {
			return src.n, err
		}
	}
}

// counter counts what it reads, and stops when its context ends.
type counter struct {
	ctx context.Context
	r   io.Reader
	n   int64
}

func (c *counter) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.r.Read(p)
	c.n += int64(n)
	if err == io.ErrUnexpectedEOF { // which the encryption would take for the end
		err = &cloud.Error{Kind: fault.Invalid, Code: "IncompleteBody", Msg: "The request body ended before all of it was sent"}
	}
	return n, err
}

// reader is the plain text of a range of an object, over one file or many. It is for one goroutine.
type reader struct {
	bodies  *bodies
	bucket  string
	closing func() // what Close does besides
	rest    []body // those not begun
	dataKey []byte
	skip    int64 // plain bytes to pass over in rest[0]
	left    int64 // plain bytes still to be given
	file    File
	plain   io.Reader // of file
	here    int64     // plain bytes left in file
	closed  bool
}

// open makes a reader of n bytes from offset. The list must stay pinned until Close, which calls closing.
func (b *bodies) open(bucket string, list []body, dataKey []byte, offset, n int64, closing func()) *reader {
	r := &reader{bodies: b, bucket: bucket, closing: closing, rest: list, dataKey: dataKey, skip: offset, left: n}
	for len(r.rest) > 0 && r.skip >= r.rest[0].Size {
		r.skip -= r.rest[0].Size
		r.rest = r.rest[1:]
	}
	return r
}

// Read implements io.Reader.
func (r *reader) Read(p []byte) (int, error) {
	if r.closed {
		return 0, fault.Errorf(fault.Invalid, "local.Get", "the body is closed")
	}
	if r.left == 0 {
		return 0, io.EOF
	}
	for r.here == 0 {
		if err := r.next(); err != nil {
			return 0, err
		}
	}
	n, err := r.plain.Read(p[:min(int64(len(p)), r.left, r.here)])
	r.left -= int64(n)
	r.here -= int64(n)
	if err == io.EOF {
		err = nil
		if r.here > 0 {
			err = io.ErrUnexpectedEOF
		}
	}
	if err != nil {
		return n, damaged(err)
	}
	return n, nil
}

// WriteTo implements io.WriterTo with buffers large enough that a package is decrypted in place.
func (r *reader) WriteTo(w io.Writer) (int64, error) {
	buf := bursts.Get().(*[]byte)
	defer bursts.Put(buf)
	var sum int64
	for {
		n, err := r.Read(*buf)
		if n > 0 {
			m, werr := w.Write((*buf)[:n])
			sum += int64(m)
			if werr != nil {
				return sum, werr
			}
		}
		if err == io.EOF {
			return sum, nil
		}
		if err != nil {
			return sum, err
		}
	}
}

// next opens the next file at the package that holds the first wanted byte.
func (r *reader) next() error {
	r.closeFile()
	if len(r.rest) == 0 {
		return damaged(io.ErrUnexpectedEOF)
	}
	x := r.rest[0]
	r.rest = r.rest[1:]
	skip := r.skip
	r.skip = 0
	if x.Size == skip {
		return nil
	}
	f, err := r.bodies.disk.Open(r.bodies.path(r.bucket, x.ID))
	if err != nil {
		return damaged(err)
	}
	r.file = f
	want, _ := sio.EncryptedSize(uint64(x.Size))
	if st, err := f.Stat(); err != nil || st.Size() != int64(want) {
		return damaged(errors.Join(errors.New("its file has another size"), err))
	}
	first := skip / packagePlain
	if first > 0 {
		if _, err := f.Seek(first*packageSize, io.SeekStart); err != nil {
			return damaged(err)
		}
	}
	cfg := streamConfig(r.dataKey, x.ID)
	cfg.SequenceNumber = uint32(first)
	if r.plain, err = sio.DecryptReader(f, cfg); err != nil {
		return damaged(err)
	}
	r.here = x.Size - skip
	if over := skip - first*packagePlain; over > 0 {
		if _, err := io.CopyN(io.Discard, r.plain, over); err != nil {
			return damaged(err)
		}
	}
	return nil
}

func (r *reader) closeFile() {
	if r.file != nil {
		_ = r.file.Close()
		r.file = nil
	}
	r.here = 0
}

// Close frees the files. A second Close does nothing.
func (r *reader) Close() error {
	if r.closed {
		return nil
	}
	r.closed = true
	r.closeFile()
	if r.closing != nil {
		r.closing()
	}
	return nil
}

// damaged is an error about a body that is not as it was written.
func damaged(err error) error {
	return fault.Errorf(fault.Internal, "local.Get", "the body of an object is missing or damaged: %w", err)
}
