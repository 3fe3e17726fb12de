package sigv4

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"net/http"

	"tarn/fault"
)

// Buffer reads the whole body where the signature needs its hash (NeedsBody), no more than max bytes of it, and puts
// back what it read as r.Body; else it does nothing. A longer body is fault.TooLarge.
func (a *Authorization) Buffer(r *http.Request, max int64) error {
	if !a.NeedsBody() {
		return nil
	}
	if r.Body == nil || r.Body == http.NoBody {
		a.PayloadHash = emptyHash
		return nil
	}
	if r.ContentLength > max {
		return fault.Errorf(fault.TooLarge, op, "body of %d bytes is over the limit of %d", r.ContentLength, max)
	}
	var buf bytes.Buffer
	if r.ContentLength > 0 {
		buf.Grow(int(r.ContentLength) + bytes.MinRead)
	}
	if _, err := buf.ReadFrom(io.LimitReader(r.Body, max+1)); err != nil {
		return &fault.Error{Op: op, Kind: fault.Invalid, Msg: "the body could not be read to its end", Err: err}
	}
	if int64(buf.Len()) > max {
		return fault.Errorf(fault.TooLarge, op, "body is over the limit of %d bytes", max)
	}
	sum := sha256.Sum256(buf.Bytes())
	a.PayloadHash = hex.EncodeToString(sum[:])
	a.Mode = Buffered
	r.Body = struct {
		io.Reader
		io.Closer
	}{&buf, r.Body}
	return nil
}

// Body is r.Body, checked while it is read; call it once, after Verify. A hashed body that is another than the signed
// one ends with PayloadMismatch instead of io.EOF, and its last bytes are withheld, so that nobody takes it for whole.
// An aws-chunked body (Mode) is read decoded, each chunk's and the trailer's signature checked, as *Chunks: its Trailer
// has the checksums that came after the body. Closing it closes r.Body.
func (a *Authorization) Body(r *http.Request) io.ReadCloser {
	body := r.Body
	if body == nil {
		body = http.NoBody
	}
	switch {
	case !a.ready:
		return failed{body}
	case a.Mode == Unsigned || a.Mode == Buffered:
		return body
	case a.Mode.isChunked():
		return newChunks(a, r, body)
	}
	return &hashed{body: body, sum: sha256.New(), want: a.PayloadHash, left: r.ContentLength}
}

// failed is the body of a request whose signature has not been verified.
type failed struct{ io.Closer }

func (failed) Read([]byte) (int, error) {
	return 0, fault.Errorf(fault.Internal, op, "the signature must be verified before the body is read")
}

type hashed struct {
	body io.ReadCloser
	sum  hash.Hash
	want string
	left int64 // bytes to come; below zero if unknown from the start
	err  error
}

func (h *hashed) Read(p []byte) (int, error) {
	if h.err != nil {
		return 0, h.err
	}
	if h.left == 0 {
		h.err = h.check()
		return 0, h.err
	}
	n, err := h.body.Read(p)
	h.sum.Write(p[:n])
	known := h.left > 0
	if known {
		h.left = max(h.left-int64(n), 0)
	}
	if err == io.EOF && known && h.left > 0 {
		err = io.ErrUnexpectedEOF
	}
	if err == io.EOF || known && h.left == 0 && err == nil {
		if bad := h.check(); bad != io.EOF {
			h.err = bad
			return 0, bad
		}
		h.err = io.EOF
		return n, nil
	}
	h.err = err
	return n, err
}

// check is io.EOF where the body is the signed one.
func (h *hashed) check() error {
	var sum [sha256.Size]byte
	if hex.EncodeToString(h.sum.Sum(sum[:0])) != h.want {
		return refuse(PayloadMismatch, "The provided 'x-amz-content-sha256' header does not match what was computed.")
	}
	return io.EOF
}

func (h *hashed) Close() error { return h.body.Close() }
