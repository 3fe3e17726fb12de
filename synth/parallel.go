package synth

import (
	"iter"
	"sync"
)

// Parallel yields what Population yields, in the same order, made by so many goroutines (at least one). They are gone
// when the iteration ends, also when it ends early. Each holds two or three patients, about a megabyte.
func Parallel(opts Options, workers int) iter.Seq[Resource] {
	return func(yield func(Resource) bool) {
		for r := range Directory(opts) {
			if !yield(r) {
				return
			}
		}
		patients := newGenerator(opts).patients
		workers = max(1, min(workers, patients))
		done := make(chan struct{})
		var group sync.WaitGroup
		defer group.Wait()
		defer close(done)
		lanes := make([]lane, workers)
		for w := range lanes {
			l := lane{full: make(chan *sheaf, 1), empty: make(chan *sheaf, 2)}
			l.empty <- &sheaf{}
			l.empty <- &sheaf{}
			lanes[w] = l
			group.Go(func() { l.fill(opts, w, workers, done) })
		}
		for n := range patients {
			l := lanes[n%workers]
			s := <-l.full
			if !s.each(yield) {
				return
			}
			l.empty <- s
		}
	}
}

// lane joins one worker to the consumer: full sheaves go one way, empty ones come back.
type lane struct{ full, empty chan *sheaf }

// fill makes the patients first, first+step, first+2*step ... until they end or done is closed.
func (l lane) fill(opts Options, first, step int, done <-chan struct{}) {
	g := newGenerator(opts)
	for n := first; n < g.patients; n += step {
		var s *sheaf
		select {
		case s = <-l.empty:
		case <-done:
			return
		}
		s.buf, s.cuts = s.buf[:0], s.cuts[:0]
		g.yield = s.add
		g.patient(n)
		select {
		case l.full <- s:
		case <-done:
			return
		}
	}
}

// sheaf is all resources of one patient.
type sheaf struct {
	buf  []byte
	cuts []cut
}

type cut struct {
	kind, id string
	end      int
}

func (s *sheaf) add(r Resource) bool {
	s.buf = append(s.buf, r.JSON...)
	s.cuts = append(s.cuts, cut{r.Type, r.ID, len(s.buf)})
	return true
}

func (s *sheaf) each(yield func(Resource) bool) bool {
	from := 0
	for _, c := range s.cuts {
		if !yield(Resource{Type: c.kind, ID: c.id, JSON: s.buf[from:c.end:c.end]}) {
			return false
		}
		from = c.end
	}
	return true
}
