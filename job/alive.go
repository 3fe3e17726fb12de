package job

import (
	"context"
	"io"
)

// Alive is a sign of life of a work that goes on and has no progress to tell yet, since that comes with a checkpoint: bytes
// were moved, a resource was looked at. It is kept in memory alone and costs next to nothing. A work that only waits for
// others gives it too; one of which some call does not return must not. A nil Run takes it and does nothing.
func (r *Run) Alive() {
	if r != nil {
		r.alive.Add(1)
	}
}

// Living is a context each question of which, whether it has ended, is a sign of life: a loop asks that in each round.
// Contexts that are made of it ask it no more.
func (r *Run) Living(ctx context.Context) context.Context { return living{ctx, r} }

type living struct {
	context.Context
	run *Run
}

func (l living) Err() error {
	l.run.Alive()
	return l.Context.Err()
}

// Upload is body, to be given to whoever sends it away: each read of it is a sign of life.
func (r *Run) Upload(body io.ReadSeeker) io.ReadSeeker {
	if from, ok := body.(io.WriterTo); ok {
		return flow{sent{body, r}, from}
	}
	return sent{body, r}
}

// Download is body, each read of which is a sign of life.
func (r *Run) Download(body io.ReadCloser) io.ReadCloser { return received{body, r} }

type sent struct {
	io.ReadSeeker
	run *Run
}

func (s sent) Read(p []byte) (int, error) {
	s.run.Alive()
	return s.ReadSeeker.Read(p)
}

// flow is a body that writes itself without another's buffer.
type flow struct {
	sent
	from io.WriterTo
}

func (f flow) WriteTo(w io.Writer) (int64, error) { return f.from.WriteTo(sink{w, f.run}) }

type sink struct {
	io.Writer
	run *Run
}

func (s sink) Write(p []byte) (int, error) {
	s.run.Alive()
	return s.Writer.Write(p)
}

type received struct {
	io.ReadCloser
	run *Run
}

func (r received) Read(p []byte) (int, error) {
	r.run.Alive()
	return r.ReadCloser.Read(p)
}
