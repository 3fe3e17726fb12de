package ingest

import (
	"context"
	"errors"
	"io"
	"runtime"
	"sync"
	"time"

	"golang.org/x/sync/semaphore"

	"tarn/fault"
	"tarn/ndjson"
	"tarn/store"
)

// Bounds. A chunk is what a worker prepares at a time; what comes of it is a piece, which is as much as may hold up an
// interactive write.
const (
	chunkBytes = 64 << 10
	roomBytes  = 3 * stepBytes // of lines that are read and not yet committed; one longer line still passes
	mostAhead  = 1024          // chunks of them
)

// pipeline reads a file ahead of its commits. One goroutine reads lines, several prepare them, chunk by chunk, and one
// puts what they made back into the order of the file:
//
//	reader ─┬─► worker ─┬─► assembler ──► pieces
//	        └─► worker ─┘
//
// What lies between the reader and the commits takes a bounded room, which release gives back.
type pipeline struct {
	pieces chan *batch // the last one ends at the file's end, or has an error

	ctx    context.Context
	cancel context.CancelFunc
	room   *semaphore.Weighted
	all    sync.WaitGroup

	contended func() bool
	turn      sync.Mutex // of the worker that prepares while somebody else writes
}

// chunk is some lines of a file. Its results are there when ready is closed.
type chunk struct {
	text  []byte
	lines []chunkLine
	ready chan struct{}
	held  int64
	end   error // of the source, behind the lines; nil: more chunks follow
}

type chunkLine struct {
	place    linePlace
	from, to int // in the chunk's text
	write    store.Write
	note     []byte // what was tolerated in it
	err      error
}

// startPipeline begins to read r, which stands at the place. Each worker has a preparer of its own. While the store is
// contended they take turns and rest, since nobody is to wait for a processor that works ahead.
func startPipeline(ctx context.Context, r io.Reader, from place, contended func() bool, prepare func() *preparer) *pipeline {
	p := &pipeline{pieces: make(chan *batch, mostAhead), room: semaphore.NewWeighted(roomBytes), contended: contended}
	p.ctx, p.cancel = context.WithCancel(ctx)
	ordered, work := make(chan *chunk, mostAhead), make(chan *chunk, mostAhead)
	p.all.Go(func() { p.read(r, from, ordered, work) })
	for range runtime.GOMAXPROCS(0) {
		p.all.Go(func() {
			mine := prepare()
			for c := range work {
				p.prepare(c, mine)
			}
		})
	}
	p.all.Go(func() { p.assemble(from, ordered) })
	return p
}

func (p *pipeline) prepare(c *chunk, mine *preparer) {
	if !p.contended() {
		c.prepare(p.ctx, mine)
		return
	}
	p.turn.Lock()
	defer p.turn.Unlock()
	begin := time.Now()
	c.prepare(p.ctx, mine)
	rest(p.ctx, time.Since(begin))
}

// stop ends the pipeline; when it returns nobody reads any more.
func (p *pipeline) stop() {
	p.cancel()
	p.all.Wait()
}

// release gives back the room of a batch that is committed.
func (p *pipeline) release(b *batch) {
	p.room.Release(b.held)
	b.held = 0
}

func (p *pipeline) read(r io.Reader, from place, ordered, work chan<- *chunk) {
	defer close(ordered)
	defer close(work)
	lines := ndjson.NewReader(r, ndjson.ReaderOptions{MaxLine: store.MaxDocument, Line: from.Line, Offset: from.Offset})
	for last := false; !last; {
		c := &chunk{ready: make(chan struct{})}
		last = c.fill(lines)
		c.held = min(int64(len(c.text)), roomBytes)
		if p.room.Acquire(p.ctx, c.held) != nil {
			return
		}
		for _, to := range []chan<- *chunk{ordered, work} {
			select {
			case to <- c:
			case <-p.ctx.Done():
				return
			}
		}
	}
}

// fill reads lines until the chunk is large enough; it reports whether the source has ended.
func (c *chunk) fill(lines *ndjson.Reader) (last bool) {
	for len(c.text) < chunkBytes && len(c.lines) < batchLines {
		line, err := lines.Next()
		if err != nil && !errors.Is(err, ndjson.ErrTooLong) {
			c.end = err
			return true
		}
		if err != nil {
			err = fault.Errorf(fault.TooLarge, "ingest", "the line is too long: a resource has %d bytes at most", store.MaxDocument)
		}
		if c.text == nil {
			c.text = make([]byte, 0, max(len(line.Bytes), chunkBytes+chunkBytes/8))
		}
		from := len(c.text)
		c.text = append(c.text, line.Bytes...)
		c.lines = append(c.lines, chunkLine{place: linePlace{line: line.Number, end: line.End}, from: from, to: len(c.text), err: err})
	}
	return false
}

// prepare makes the writes of the chunk's lines.
func (c *chunk) prepare(ctx context.Context, p *preparer) {
	defer close(c.ready)
	for i := range c.lines {
		if ctx.Err() != nil {
			return
		}
		if l := &c.lines[i]; l.err == nil {
			l.write, l.note, l.err = p.write(c.text[l.from:l.to])
		}
	}
	c.text = nil
}

// assemble makes pieces of the chunks in their order.
func (p *pipeline) assemble(from place, ordered <-chan *chunk) {
	defer close(p.pieces)
	b := &batch{line: from.Line, offset: from.Offset}
	send := func() bool {
		select {
		case p.pieces <- b:
		case <-p.ctx.Done():
			return false
		}
		b = &batch{line: b.line, offset: b.offset}
		return true
	}
	for c := range ordered {
		select {
		case <-c.ready:
		case <-p.ctx.Done():
			return
		}
		if p.ctx.Err() != nil {
			return // the chunk may be half prepared
		}
		for i := range c.lines {
			l := &c.lines[i]
			if l.err == nil && b.has(l.write) && !send() { // of two lines with one id the later wins: in a transaction of its own
				return
			}
			b.scanned++
			b.line, b.offset = l.place.line, l.place.end
			if l.err != nil {
				b.fail(failureOf(l.place.line, l.err))
			} else {
				l.place.told = l.note
				b.writes, b.places = append(b.writes, l.write), append(b.places, l.place)
				b.noted += len(l.note)
				b.bytes += len(l.write.Resource.Bytes())
			}
			if (len(b.failures) >= maxFailures || b.told >= maxLogPiece/2 || b.noted >= maxNoted/8) && !send() {
				return
			}
		}
		b.held = c.held
		if b.last = c.end == io.EOF; c.end != nil && !b.last {
			b.err = c.end
		}
		if !send() {
			return
		}
	}
}
