package ndjson

import (
	"bytes"
	"errors"
	"io"

	"tarn/fault"
)

// DefaultMaxLine is the bound of a line in bytes where ReaderOptions name none: that of a resource.
const DefaultMaxLine = 5_000_000

// ErrTooLong is the error of a line over the bound; it concerns that line only. Its kind is fault.TooLarge.
var ErrTooLong = fault.Errorf(fault.TooLarge, "ndjson.Reader", "the line is too long")

// ReaderOptions say how a Reader reads.
type ReaderOptions struct {
	MaxLine int   // most bytes of a line, without newline, carriage return and byte order mark; 0: DefaultMaxLine
	Line    int64 // lines that lie before the first byte given: the Number of the last Line read before
	Offset  int64 // bytes that lie before it: the End of the last Line read before
}

// Line is one line that is not blank.
type Line struct {
	Number int64  // counted from 1, blank lines too
	Offset int64  // of the line's first byte
	End    int64  // after its newline: reading may resume here
	Bytes  []byte // without newline, carriage return and byte order mark; valid until the next call, nil if too long
}

// Reader reads newline-delimited JSON line by line. Blank lines and those of white space only are passed over; CRLF ends
// a line too; a byte order mark at the very beginning goes; a last line needs no newline. It holds at most one line in
// memory, and of a line that is too long nothing. It is for one goroutine.
type Reader struct {
	r          io.Reader
	max        int
	number     int64
	offset     int64 // of buf[start]
	buf        []byte
	start, end int   // the bytes read and not yet given out
	err        error // of r, io.EOF too
}

const (
	firstBuffer = 64 << 10
	mark        = "\xef\xbb\xbf" // the byte order mark in UTF-8
)

// NewReader makes a Reader of r.
func NewReader(r io.Reader, o ReaderOptions) *Reader {
	if o.MaxLine <= 0 {
		o.MaxLine = DefaultMaxLine
	}
	return &Reader{r: r, max: o.MaxLine, number: o.Line, offset: o.Offset, buf: make([]byte, min(firstBuffer, o.MaxLine+len(mark)+2))}
}

// Next is the next line. At the end the error is io.EOF. A line over MaxLine comes with its place, without its bytes
// and with ErrTooLong; the next call goes on behind it. Any other error is that of the source, comes again with every
// later call, and a line that it cut short is not given out.
func (r *Reader) Next() (Line, error) {
	for {
		line, ok, err := r.next()
		if ok || err != nil {
			return line, err
		}
	}
}

// next reads one line; ok is false for a blank one.
func (r *Reader) next() (line Line, ok bool, err error) {
	var (
		searched int  // how far behind start there is no newline
		dropped  bool // the line is too long, and what came before start is gone
		blank    = true
	)
	line = Line{Number: r.number + 1, Offset: r.offset}
	for {
		at := bytes.IndexByte(r.buf[r.start+searched:r.end], '\n')
		if at >= 0 {
			at += searched
		} else if r.err != nil {
			if r.err != io.EOF {
				return Line{}, false, r.err
			}
			if r.start == r.end && !dropped {
				return Line{}, false, io.EOF
			}
			at = r.end - r.start
		} else {
			searched = r.end - r.start
			if searched > r.max+len(mark)+len("\r") {
				blank = blank && isBlank(trim(r.buf[r.start:r.end], r.offset))
				dropped = true
				r.offset += int64(searched)
				r.start, r.end, searched = 0, 0, 0
			}
			r.fill()
			continue
		}
		text := trim(r.buf[r.start:r.start+at], r.offset)
		size := at
		if r.start+at < r.end {
			size++
		}
		r.start += size
		r.offset += int64(size)
		r.number++
		line.End = r.offset
		if blank && isBlank(text) {
			return line, false, nil
		}
		if dropped || len(text) > r.max {
			return line, false, ErrTooLong
		}
		line.Bytes = text
		return line, true, nil
	}
}

// trim takes the carriage return off a text, and the byte order mark where it stands at the very beginning.
func trim(text []byte, offset int64) []byte {
	if offset == 0 {
		text = bytes.TrimPrefix(text, []byte(mark))
	}
	return bytes.TrimSuffix(text, []byte{'\r'})
}

// fill reads more, making room first.
func (r *Reader) fill() {
	if r.start > 0 {
		copy(r.buf, r.buf[r.start:r.end])
		r.start, r.end = 0, r.end-r.start
	}
	if r.end == len(r.buf) {
		larger := make([]byte, min(2*len(r.buf), len(r.buf)+r.max))
		copy(larger, r.buf)
		r.buf = larger
	}
	for range 100 {
		n, err := r.r.Read(r.buf[r.end:])
		r.end += n
		if err != nil {
			r.err = io.EOF
			if !errors.Is(err, io.EOF) {
				r.err = fault.Wrap("ndjson.Reader", err)
			}
		}
		if n > 0 || err != nil {
			return
		}
	}
	r.err = fault.Wrap("ndjson.Reader", io.ErrNoProgress)
}

func isBlank(text []byte) bool {
	for _, c := range text {
		if c != ' ' && c != '\t' && c != '\r' {
			return false
		}
	}
	return true
}
