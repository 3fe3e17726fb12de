package sigv4

import (
	"bufio"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"errors"
	"hash"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Bounds of the aws-chunked encoding: what we read for a line, and for a trailer.
const (
	maxLine     = 4096
	maxTrailers = 16
)

// Chunks reads an aws-chunked body decoded ("Signature Calculations for the Authorization Header: Transferring Payload
// in Multiple Chunks", S3 API reference). Bytes are handed on before the signature of their chunk has been seen, but
// the last ones are withheld until everything is found right: whoever has read DecodedLength bytes, or io.EOF, has
// read what was signed.
//
//	HEX;chunk-signature=SIG CRLF  data CRLF  ...  0;chunk-signature=SIG CRLF  [name:value CRLF]...  CRLF
type Chunks struct {
	auth     *Authorization
	in       *bufio.Reader
	body     io.Closer
	signed   bool
	sum      hash.Hash // of the chunk's bytes so far
	want     [64]byte  // the signature that the chunk came with
	previous [64]byte  // of the chunk before, at first of the request
	left     int64     // bytes to come of this chunk
	total    int64     // bytes to come of the whole
	promised []string  // names in x-amz-trailer
	trailer  http.Header
	err      error
}

func newChunks(a *Authorization, r *http.Request, body io.ReadCloser) *Chunks {
	c := &Chunks{auth: a, in: bufio.NewReaderSize(body, maxLine), body: body, total: a.DecodedLength,
		signed: a.Mode != UnsignedTrailer, sum: sha256.New(), trailer: http.Header{}}
	copy(c.previous[:], a.Signature)
	for _, line := range r.Header["X-Amz-Trailer"] {
		for name := range strings.SplitSeq(line, ",") {
			c.promised = append(c.promised, strings.ToLower(strings.TrimSpace(name)))
		}
	}
	return c
}

// Trailer holds what came after the body, such as X-Amz-Checksum-Crc32; complete once the body has been read. The
// values are as they came: whoever wants the checksum checked does that.
func (c *Chunks) Trailer() http.Header { return c.trailer }

// Close closes the request's body.
func (c *Chunks) Close() error { return c.body.Close() }

// Read reads decoded bytes.
func (c *Chunks) Read(p []byte) (int, error) {
	if c.err != nil {
		return 0, c.err
	}
	if len(p) == 0 {
		return 0, nil
	}
	n, err := c.read(p)
	if err != nil {
		c.err = err
	}
	if err == io.EOF && n > 0 {
		err = nil
	}
	return n, err
}

// read returns bytes, or an error and none; io.EOF may come with the last bytes.
func (c *Chunks) read(p []byte) (int, error) {
	if c.left == 0 {
		if last, err := c.header(); err != nil {
			return 0, err
		} else if last {
			return 0, c.finish()
		}
	}
	n, err := c.in.Read(p[:min(int64(len(p)), c.left)])
	if err != nil {
		return 0, cut(err)
	}
	c.left -= int64(n)
	c.total -= int64(n)
	if c.signed {
		c.sum.Write(p[:n])
	}
	if c.left > 0 {
		return n, nil
	}
	if err := c.endOfChunk(); err != nil {
		return 0, err
	}
	if c.total > 0 {
		return n, nil
	}
	last, err := c.header()
	switch {
	case err != nil:
		return 0, err
	case !last:
		return 0, refuse(MalformedChunk, "the body is longer than x-amz-decoded-content-length")
	}
	if err := c.finish(); err != io.EOF {
		return 0, err
	}
	return n, io.EOF
}

// header reads the line that begins a chunk; last is true for the empty chunk, which ends the body.
func (c *Chunks) header() (last bool, err error) {
	line, err := c.line()
	if err != nil {
		return false, err
	}
	digits, extension, _ := strings.Cut(line, ";")
	size, err := strconv.ParseUint(digits, 16, 63)
	if err != nil {
		return false, refuse(MalformedChunk, "a chunk must begin with its size in hexadecimal")
	}
	if c.signed {
		signature, ok := strings.CutPrefix(strings.TrimSpace(extension), "chunk-signature=")
		if !ok || len(signature) != len(c.want) {
			return false, refuse(MalformedChunk, "a chunk must have its chunk-signature")
		}
		copy(c.want[:], signature)
		c.sum.Reset()
	}
	if int64(size) > c.total {
		return false, refuse(MalformedChunk, "the chunks are longer than x-amz-decoded-content-length")
	}
	c.left = int64(size)
	return size == 0, nil
}

// endOfChunk reads the line end after the chunk's bytes and checks their signature.
func (c *Chunks) endOfChunk() error {
	if line, err := c.line(); err != nil {
		return err
	} else if line != "" {
		return refuse(MalformedChunk, "a chunk is longer than its size")
	}
	return c.checkChunk()
}

func (c *Chunks) checkChunk() error {
	if !c.signed {
		return nil
	}
	var room [sha256.Size]byte
	text := c.stringToSign("AWS4-HMAC-SHA256-PAYLOAD")
	text = append(text, emptyHash+"\n"...)
	text = hex.AppendEncode(text, c.sum.Sum(room[:0]))
	if !c.verify(text) {
		return refuse(SignatureDoesNotMatch, "the signature of a chunk of the body does not match")
	}
	return nil
}

func (c *Chunks) stringToSign(algorithm string) []byte {
	text := make([]byte, 0, 320)
	text = append(text, algorithm...)
	text = append(text, '\n')
	text = append(text, c.auth.amzDate...)
	text = append(text, '\n')
	text = append(text, c.auth.Scope()...)
	text = append(text, '\n')
	text = append(text, c.previous[:]...)
	return append(text, '\n')
}

// verify compares c.want with the signature of text, which becomes the previous one.
func (c *Chunks) verify(text []byte) bool {
	sum := mac(c.auth.key[:], text)
	hex.Encode(c.previous[:], sum[:])
	return subtle.ConstantTimeCompare(c.previous[:], c.want[:]) == 1
}

// finish checks the empty chunk, reads the trailer and the end; io.EOF where all is right.
func (c *Chunks) finish() error {
	if c.total > 0 {
		return refuse(MalformedChunk, "the body is shorter than x-amz-decoded-content-length")
	}
	if err := c.checkChunk(); err != nil {
		return err
	}
	if c.auth.Mode == SignedChunks {
		if line, err := c.line(); err != nil {
			return err
		} else if line != "" {
			return refuse(MalformedChunk, "the body goes on after its last chunk")
		}
	} else if err := c.readTrailer(); err != nil {
		return err
	}
	switch _, err := c.in.ReadByte(); err {
	case io.EOF:
		return io.EOF
	case nil:
		return refuse(MalformedChunk, "the body goes on after its end")
	default:
		return cut(err)
	}
}

func (c *Chunks) readTrailer() error {
	const signatureName = "x-amz-trailer-signature"
	var text []byte // canonical trailer: name:value LF
	signature, blank := "", 0
	for n := 0; ; n++ {
		line, err := c.line()
		if err != nil {
			return err
		}
		if line == "" {
			// Some signers write an empty line between the trailer and its signature.
			if blank++; c.signed && signature == "" && blank == 1 && n > 0 {
				continue
			}
			break
		}
		name, value, ok := strings.Cut(line, ":")
		name, value = strings.ToLower(strings.TrimSpace(name)), strings.TrimSpace(value)
		switch {
		case !ok || name == "" || n > maxTrailers || signature != "":
			return refuse(MalformedChunk, "the trailer of the body is malformed")
		case name == signatureName && c.signed:
			signature = value
		case !slices.Contains(c.promised, name) || c.trailer.Get(name) != "":
			return refuse(MalformedChunk, "the trailer %q is not named in x-amz-trailer, or came twice", brief(name))
		default:
			c.trailer.Set(name, value)
			text = append(append(append(append(text, name...), ':'), value...), '\n')
		}
	}
	for _, name := range c.promised {
		if c.trailer.Get(name) == "" {
			return refuse(MalformedChunk, "the trailer %q that x-amz-trailer names did not come", brief(name))
		}
	}
	if !c.signed {
		return nil
	}
	if len(signature) != len(c.want) {
		return refuse(MalformedChunk, "the trailer must end with its x-amz-trailer-signature")
	}
	copy(c.want[:], signature)
	hash := sha256.Sum256(text)
	if !c.verify(hex.AppendEncode(c.stringToSign("AWS4-HMAC-SHA256-TRAILER"), hash[:])) {
		return refuse(SignatureDoesNotMatch, "the signature of the body's trailer does not match")
	}
	return nil
}

// line reads up to a line end and leaves it out.
func (c *Chunks) line() (string, error) {
	b, err := c.in.ReadSlice('\n')
	if err != nil {
		return "", cut(err)
	}
	b = b[:len(b)-1]
	if n := len(b); n > 0 && b[n-1] == '\r' {
		b = b[:n-1]
	}
	return string(b), nil
}

// cut says what the end of the stream within the encoding means; other errors of reading stay what they are.
func cut(err error) error {
	switch {
	case err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF):
		return refuse(MalformedChunk, "the body ends before its last chunk")
	case err == bufio.ErrBufferFull:
		return refuse(MalformedChunk, "a line of the chunk encoding is over %d bytes", maxLine)
	}
	return err
}
