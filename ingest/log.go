package ingest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"io"

	"tarn/fault"
	"tarn/store"
)

// maxLog bounds the failure log of one input file in bytes. Lines that fail beyond it are counted and not listed.
const maxLog = 1 << 30

// maxLogName bounds the name of a log: as S3 has it, with a margin for clouds that allow less.
const maxLogName = 1000

// logName is the name of the failure log of an input file: the same name in another folder, or a short stand-in.
func logName(folder, name string) string {
	if at := folder + "FAILURE/" + name; len(at) <= maxLogName {
		return at
	}
	return fmt.Sprintf("%sFAILURE/%x.ndjson", folder, sha256.Sum256([]byte(name)))
}

// logReader reads the log of the file under way from its pieces, holding one at a time.
type logReader struct {
	ctx   context.Context
	store *store.Store
	key   func(piece int) []byte
	count int   // pieces
	size  int64 // of all

	offset int64  // where the caller stands
	next   int    // the piece after the one in rest
	at     int64  // where rest begins
	rest   []byte // read and not yet given out
}

// Read implements io.Reader.
func (l *logReader) Read(p []byte) (int, error) {
	if l.offset < l.at {
		l.next, l.at, l.rest = 0, 0, nil
	}
	for l.offset >= l.at+int64(len(l.rest)) {
		if l.next == l.count {
			return 0, io.EOF
		}
		piece, err := l.store.Rider(l.ctx, l.key(l.next))
		if err == nil && piece == nil {
			err = fault.Errorf(fault.Internal, "ingest", "piece %d of a failure log is missing", l.next)
		}
		if err != nil {
			return 0, err
		}
		l.at += int64(len(l.rest))
		l.rest, l.next = piece, l.next+1
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
