package export

import (
	"context"
	"slices"

	"tarn/fhir/r4"
	"tarn/store"
)

// appendHeader is the line that begins a block.
func appendHeader(to []byte, patient string) []byte {
	to = append(to, headerBefore...)
	to = append(to, patient...) // a FHIR id needs no escapes
	return append(to, headerBehind...)
}

const (
	headerBefore = `{"resourceType":"Parameters","parameter":[{"name":"header","valueReference":{"reference":"Patient/`
	headerBehind = `"}}]}`
)

// maxHeld is how much of a block is held until it is known to fit into the file under way. A larger one begins a file, so
// that memory stays bounded and the block whole.
const maxHeld = 16 << 20

// blockWriter writes blocks so that one is divided among files only if it is larger than a file: what does not begin a
// file is held until it is known to fit.
type blockWriter struct {
	*partWriter
	maxLines, maxBytes int

	header  []byte // of the block under way
	alone   bool   // the file holds nothing but that header
	holding bool
	held    buffer
	sizes   []int // of the lines that are held
}

// organized writes the part's blocks. What the resources refer to outside the compartments stands behind them in each
// block, if it is asked for, and counts for nothing in the plan.
func (w *partWriter) organized(ctx context.Context, v *store.View, j *Job) (total int, err error) {
	out := blockWriter{partWriter: w, maxLines: j.MaxLines, maxBytes: j.MaxBytes, held: buffer{pool: &pool{}}}
	lines := liner{job: j}
	linked := newFollower(v, j)
	for b, err := range w.part.blocks() {
		if err != nil {
			return total, err
		}
		if err := out.begin(b.patient); err != nil {
			return total, err
		}
		linked.begin()
		for _, g := range b.groups {
			n, err := out.group(ctx, v, g, &lines, linked)
			if total += n; err != nil {
				return total, err
			}
		}
		for {
			more, err := linked.next(ctx)
			if err != nil {
				return total, err
			}
			if len(more) == 0 {
				break
			}
			for _, g := range more {
				if _, err := out.group(ctx, v, g, &lines, linked); err != nil {
					return total, err
				}
			}
		}
		if err := out.close(); err != nil {
			return total, err
		}
	}
	if w.part.Continues {
		following := w.part
		following.N++
		w.continues = fileName(w.number, following, 0)
	}
	return total, nil
}

// group writes resources of one type.
func (w *blockWriter) group(ctx context.Context, v *store.View, g bunch, lines *liner, linked *follower) (total int, err error) {
	for chunk := range slices.Chunk(g.members, lookUps) {
		versions, err := v.ReadOrdinals(ctx, g.typ, chunk)
		if err != nil {
			return total, err
		}
		for i := range versions {
			if versions[i].Number == 0 || versions[i].Deleted {
				continue // writePart asks why
			}
			if err := linked.note(versions[i].Body); err != nil {
				return total, err
			}
			body, err := lines.of(g.typ, versions[i].Body)
			if err != nil {
				return total, err
			}
			if err := w.add(body); err != nil {
				return total, err
			}
			w.pace.Step(ctx, len(body))
			total++
		}
	}
	return total, nil
}

// begin begins a patient's block.
func (w *blockWriter) begin(patient string) error {
	w.header = appendHeader(w.header[:0], patient)
	w.alone = false
	if w.holding = w.cutter.Lines() > 0; w.holding {
		w.hold(w.header)
		return nil
	}
	return w.lead()
}

// lead writes the header into a file that is empty.
func (w *blockWriter) lead() error {
	w.alone = true
	w.headers++
	return w.line(w.header)
}

func (w *blockWriter) hold(line []byte) {
	w.held.write(line)
	w.held.write(newline)
	w.sizes = append(w.sizes, len(line))
}

// add puts a resource into the block.
func (w *blockWriter) add(body []byte) error {
	if w.holding {
		if len(w.sizes) < w.maxLines && int(w.held.size)+len(body)+1 <= min(w.maxBytes, maxHeld) {
			w.hold(body)
			return nil
		}
		if err := w.end(); err != nil { // it may be larger than a file, so it begins one
			return err
		}
		if err := w.release(); err != nil {
			return err
		}
	}
	if !w.alone && !w.cutter.Fits(len(body)) {
		w.continues = fileName(w.number, w.part, len(w.files)+1)
		if err := w.end(); err != nil {
			return err
		}
		if err := w.lead(); err != nil {
			return err
		}
	}
	if w.alone {
		w.alone = false
		return w.direct(body)
	}
	return w.line(body)
}

// close ends the block.
func (w *blockWriter) close() error {
	if !w.holding {
		return nil
	}
	if w.cutter.Lines()+len(w.sizes) > w.maxLines || w.cutter.Bytes()+int(w.held.size) > w.maxBytes {
		if err := w.end(); err != nil {
			return err
		}
	}
	return w.release()
}

// release writes what was held.
func (w *blockWriter) release() error {
	w.holding = false
	w.headers++
	w.alone = len(w.sizes) == 1 && w.cutter.Lines() == 0
	if _, err := w.held.WriteTo(through{w.partWriter}); err != nil {
		return err
	}
	for _, size := range w.sizes {
		w.cutter.Take(size)
	}
	w.sizes = w.sizes[:0]
	w.held.reset()
	return nil
}

// through writes bytes of lines that are counted elsewhere.
type through struct{ *partWriter }

// Write implements io.Writer.
func (w through) Write(b []byte) (int, error) {
	w.sum.Write(b)
	return len(b), w.out.write(b)
}

// liner makes lines of resources of all types.
type liner struct {
	job    *Job
	byType [r4.Count + 1]*projection
}

func (l *liner) of(typ r4.Code, body []byte) ([]byte, error) {
	if l.byType[typ] == nil {
		l.byType[typ] = l.job.lines(typ)
	}
	return l.byType[typ].of(body)
}
