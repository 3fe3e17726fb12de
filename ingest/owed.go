package ingest

import (
	"context"
	"io"
	"strings"
	"sync"
	"time"

	"tarn/cloud"
	"tarn/store"
)

const (
	maxOwed      = 8    // files to which logs may be owed at once: so many are written beside the import
	forgetAtOnce = 1000 // pieces of logs that one commit deletes
)

// scribe writes the logs of files that are done, beside the import of those that follow.
type scribe struct {
	ctx    context.Context
	cancel context.CancelFunc
	all    sync.WaitGroup
	ended  map[int]chan error // by file
}

func newScribe(ctx context.Context) *scribe {
	s := &scribe{ended: map[int]chan error{}}
	s.ctx, s.cancel = context.WithCancel(ctx)
	return s
}

// stop ends the writing; when it returns nobody writes any more.
func (s *scribe) stop() {
	s.cancel()
	s.all.Wait()
}

// begin begins to write the logs of a file, once.
func (s *scribe) begin(file int, write func(context.Context) error) {
	if s.ended[file] == nil {
		end := make(chan error, 1)
		s.ended[file] = end
		s.all.Go(func() { end <- write(s.ctx) })
	}
}

// await is how the writing has ended. Without patience it may not have ended yet.
func (s *scribe) await(file int, patient bool) (ended bool, err error) {
	end := s.ended[file]
	if patient {
		err = <-end
	} else {
		select {
		case err = <-end:
		default:
			return false, nil
		}
	}
	delete(s.ended, file)
	return true, err
}

// settle begins to write what logs are owed, and deletes what was kept of those that are written, of several files at
// once, or of all in the end. It makes room for the logs of another file.
func (e *execution) settle(ctx context.Context, all bool) error {
	for _, o := range e.at.Owed {
		if o.Logged {
			continue
		}
		f, err := e.files.at(o.File)
		if err != nil {
			return err
		}
		e.scribe.begin(o.File, func(ctx context.Context) error { return e.putLogs(ctx, o, f) })
	}
	const some = maxOwed / 2
	full := len(e.at.Owed) >= maxOwed
	owing := append([]owed(nil), e.at.Owed...) // a place that was given away stays as it is
	written := 0
	for i := range owing {
		if o := &owing[i]; !o.Logged {
			var err error
			if o.Logged, err = e.scribe.await(o.File, all || full && written < some); err != nil {
				return err
			}
		}
		if owing[i].Logged {
			written++
		}
	}
	e.at.Owed = owing
	if written == 0 || !all && written < some {
		return nil
	}
	var err error
	e.at, err = forget(ctx, e.store, e.id, e.at)
	return err
}

// forget deletes what was kept of logs that are written, bit by bit, as the place moves on.
func forget(ctx context.Context, st *store.Store, jobID string, at place) (place, error) {
	for {
		next := at
		next.Owed = nil
		var riders []store.Rider
		gone := false
		for _, o := range at.Owed {
			if o.Logged {
				gone = true
				for ; o.Pieces > 0 && len(riders) < forgetAtOnce; o.Pieces-- {
					riders = append(riders, store.Rider{Key: pieceKey(jobID, o.File, o.Pieces-1)})
				}
				for ; o.Successes > 0 && len(riders) < forgetAtOnce; o.Successes-- {
					riders = append(riders, store.Rider{Key: successKey(jobID, o.File, o.Successes-1)})
				}
				if o.Pieces+o.Successes == 0 {
					continue
				}
			}
			next.Owed = append(next.Owed, o)
		}
		if !gone {
			return at, nil
		}
		var err error
		if at, err = at.move(ctx, st, jobID, next, riders); err != nil {
			return at, err
		}
	}
}

// putLogs writes the logs of a file that has been read as far as it will be.
func (e *execution) putLogs(ctx context.Context, o owed, f input) error {
	name := strings.TrimPrefix(f.Key, e.job.InputPrefix)
	if o.Successes > 0 {
		piece := e.gently(ctx, pieces(ctx, e.store, func(n int) []byte { return successKey(e.id, o.File, n) }))
		parts, err := partsOf(o.Successes, piece)
		if err != nil {
			return err
		}
		for _, part := range parts {
			if part.size == 0 {
				continue
			}
			if err := e.putLog(ctx, part.name(e.folder, name), part.reader(o.Successes, piece), part.size); err != nil {
				return err
			}
		}
	}
	if o.Pieces == 0 {
		return nil
	}
	piece := e.gently(ctx, pieces(ctx, e.store, func(n int) []byte { return pieceKey(e.id, o.File, n) }))
	return e.putLog(ctx, logName(e.folder+failureFolder, name), &logReader{piece: piece, count: o.Pieces, size: o.LogBytes}, o.LogBytes)
}

// gently reads pieces, and rests before each for as long as the one before took while somebody else writes.
func (e *execution) gently(ctx context.Context, piece func(n int) ([]byte, error)) func(n int) ([]byte, error) {
	var last time.Time
	return func(n int) ([]byte, error) {
		if !last.IsZero() && e.store.Contended() {
			rest(ctx, time.Since(last))
		}
		last = time.Now()
		e.run.Alive()
		return piece(n)
	}
}

func (e *execution) putLog(ctx context.Context, key string, body io.ReadSeeker, size int64) error {
	return e.out.Put(ctx, key, body, size, cloud.PutOptions{KMSKeyID: e.job.KeyARN, ContentType: "application/x-ndjson"})
}
