package export

import (
	"io"
	"sync"
)

// A file is gathered in segments, since its size is not known beforehand: growing one slice would copy it again and
// again and keep the largest for ever.
const segmentSize = 1 << 20

// pool keeps the segments that are not in use. How many are out is bounded by the slots of the Service: who writes a
// part holds one, and with it at most MaxBytes and one resource.
type pool struct {
	mu   sync.Mutex
	free [][]byte
}

func (p *pool) take() []byte {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.free); n > 0 {
		s := p.free[n-1]
		p.free = p.free[:n-1]
		return s
	}
	return make([]byte, 0, segmentSize)
}

func (p *pool) give(segments [][]byte) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, s := range segments {
		p.free = append(p.free, s[:0])
	}
}

// drain frees what is kept when a job ends, well or not; jobs that still run keep what they hold.
func (p *pool) drain() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free = nil
}

// buffer is one file being gathered, then an io.ReadSeeker over it.
type buffer struct {
	pool     *pool
	segments [][]byte
	size     int64
	offset   int64
}

func (b *buffer) write(p []byte) {
	for len(p) > 0 {
		last := len(b.segments) - 1
		if last < 0 || len(b.segments[last]) == segmentSize {
			b.segments = append(b.segments, b.pool.take())
			last++
		}
		n := min(len(p), segmentSize-len(b.segments[last]))
		b.segments[last] = append(b.segments[last], p[:n]...)
		b.size += int64(n)
		p = p[n:]
	}
}

// reset gives all segments back.
func (b *buffer) reset() {
	b.pool.give(b.segments)
	b.segments, b.size, b.offset = b.segments[:0], 0, 0
}

// rest is what lies behind the offset in its segment.
func (b *buffer) rest() []byte {
	i := int(b.offset / segmentSize)
	if i >= len(b.segments) {
		return nil
	}
	s, at := b.segments[i], int(b.offset%segmentSize)
	if at >= len(s) {
		return nil
	}
	return s[at:]
}

// Read implements io.Reader.
func (b *buffer) Read(p []byte) (int, error) {
	rest := b.rest()
	if len(rest) == 0 {
		return 0, io.EOF
	}
	n := copy(p, rest)
	b.offset += int64(n)
	return n, nil
}

// WriteTo implements io.WriterTo, so that a copy needs no buffer of its own.
func (b *buffer) WriteTo(w io.Writer) (int64, error) {
	var total int64
	for rest := b.rest(); len(rest) > 0; rest = b.rest() {
		n, err := w.Write(rest)
		b.offset += int64(n)
		total += int64(n)
		if err != nil {
			return total, err
		}
	}
	return total, nil
}

// Seek implements io.Seeker.
func (b *buffer) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += b.offset
	case io.SeekEnd:
		offset += b.size
	}
	if offset < 0 {
		return 0, io.ErrUnexpectedEOF
	}
	b.offset = offset
	return offset, nil
}
