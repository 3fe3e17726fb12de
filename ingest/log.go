package ingest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"

	"tarn/fault"
	"tarn/store"
)

// The folders of an import's logs. Each line of a file stands in one of them, in the log that bears the file's name.
const (
	successFolder   = "SUCCESS/"                                 // stored
	toleratedFolder = "SUCCESS_WITH_SEARCH_VALIDATION_FAILURES/" // stored under the level minimal, with what is wrong
	failureFolder   = "FAILURE/"                                 // not stored, with the reason
)

// maxLog bounds, for one input file, the log of failures, and that of what was stored with errors, in bytes. Lines that
// fail beyond it are counted and not listed; those that are stored beyond it are listed as if nothing were wrong.
const maxLog = 1 << 30

// logLines is how many lines of an input file one log of what was stored speaks of at most, so that a log is an object
// that every cloud takes at once. The next ones have a log of their own.
const logLines = 4_000_000

// maxLogName bounds the name of a log: as S3 has it, with a margin for clouds that allow less.
const maxLogName = 1000

// logName is the name of a log of an input file: the same name in another folder, or a short stand-in.
func logName(folder, name string) string {
	if at := folder + name; len(at) <= maxLogName {
		return at
	}
	return fmt.Sprintf("%s%x.ndjson", folder, sha256.Sum256([]byte(name)))
}

// logPart is one log of what was stored: the lines of logLines of an input file.
type logPart struct {
	number int64 // from 0
	first  int   // the first piece with a line of it
	size   int64 // bytes, or 0 if there is none
	noted  bool  // of those with notes
}

// name is that of the part of an input file's log.
func (l logPart) name(folder, name string) string {
	if l.noted {
		folder += toleratedFolder
	} else {
		folder += successFolder
	}
	if l.number > 0 {
		name = fmt.Sprintf("%s.from-%d.ndjson", name, l.number*logLines+1)
	}
	return logName(folder, name)
}

// has reports whether a record belongs to the part.
func (l logPart) has(r *record) bool {
	return (r.line-1)/logLines == l.number && (r.told != nil) == l.noted
}

// partsOf looks through the pieces of what was stored: which logs there are, and how large each is.
func partsOf(count int, piece func(n int) ([]byte, error)) (list []logPart, err error) {
	for n := range count {
		b, err := piece(n)
		if err != nil {
			return nil, err
		}
		err = eachRecord(b, func(r *record) {
			if number := (r.line - 1) / logLines; len(list) == 0 || list[len(list)-1].number != number {
				list = append(list, logPart{number: number, first: n}, logPart{number: number, first: n, noted: true})
			}
			at := &list[len(list)-2]
			if r.told != nil {
				at = &list[len(list)-1]
			}
			at.size += int64(r.lineSize())
		})
		if err != nil {
			return nil, err
		}
	}
	return list, nil
}

// logReader reads a log from its pieces, holding one at a time.
type logReader struct {
	piece  func(n int) ([]byte, error)                      // n from first to count
	render func(dst, piece []byte) (text []byte, err error) // nil: the pieces are the text
	first  int
	count  int
	size   int64 // of the text

	offset int64  // where the caller stands
	next   int    // the piece after the one in rest
	at     int64  // where rest begins
	rest   []byte // read and not yet given out
	memory []byte // of rest
}

// reader gives the text of one log of what was stored.
func (l logPart) reader(count int, piece func(n int) ([]byte, error)) *logReader {
	return &logReader{piece: piece, first: l.first, next: l.first, count: count, size: l.size, render: func(dst, piece []byte) ([]byte, error) {
		err := eachRecord(piece, func(r *record) {
			if l.has(r) {
				dst = r.appendLine(dst)
			}
		})
		return dst, err
	}}
}

// Read implements io.Reader.
func (l *logReader) Read(p []byte) (int, error) {
	if l.offset < l.at {
		l.next, l.at, l.rest = l.first, 0, nil
	}
	for l.offset >= l.at+int64(len(l.rest)) {
		if l.next == l.count || l.offset >= l.size {
			return 0, io.EOF
		}
		text, err := l.piece(l.next)
		if err == nil && l.render != nil {
			text, err = l.render(l.memory[:0], text)
			l.memory = text
		}
		if err != nil {
			return 0, err
		}
		l.at += int64(len(l.rest))
		l.rest, l.next = text, l.next+1
	}
	n := copy(p, l.rest[l.offset-l.at:])
	l.offset += int64(n)
	return n, nil
}

// Seek implements io.Seeker.
func (l *logReader) Seek(offset int64, whence int) (int64, error) {
	switch whence {
	case io.SeekCurrent:
		offset += l.offset
	case io.SeekEnd:
		offset += l.size
	}
	if offset < 0 {
		return 0, fault.Errorf(fault.Internal, "ingest", "a place before the log's first byte")
	}
	l.offset = offset
	return offset, nil
}

// pieces reads the riders that keep a log.
func pieces(ctx context.Context, st *store.Store, key func(n int) []byte) func(n int) ([]byte, error) {
	return func(n int) ([]byte, error) {
		piece, err := st.Rider(ctx, key(n))
		if err == nil && piece == nil {
			err = fault.Errorf(fault.Internal, "ingest", "piece %d of a log is missing", n)
		}
		return piece, err
	}
}
