package ingest

import "tarn/store"

// Bounds of one piece of the logs of what was stored: with the longest ids it fits a rider.
const (
	pieceRecords = 4096
	pieceNoted   = 256 << 10 // bytes of what is told of what was tolerated
)

// stored makes the riders that keep, for the logs, what a batch stores. How many there are is known before the commit,
// and what they hold in it, since it decides on versions.
type stored struct {
	jobID string
	at    place
	b     *batch
	cuts  []int // behind the last write of each piece
	noted int   // writes from here on tell nothing of what was tolerated: the log of such is full
	size  int64 // bytes that are told
}

func (p place) stored(jobID string, b *batch) stored {
	s := stored{jobID: jobID, at: p, b: b, noted: len(b.writes)}
	n, size := 0, 0
	for i := range b.writes {
		note := len(b.places[i].told)
		if i < s.noted && note > 0 && p.Told+s.size+int64(note) > maxLog {
			s.noted = i
		}
		if i >= s.noted {
			note = 0
		}
		s.size += int64(note)
		n++
		size += note
		if n == pieceRecords || size >= pieceNoted || i+1 == len(b.writes) {
			s.cuts = append(s.cuts, i+1)
			n, size = 0, 0
		}
	}
	return s
}

// riders is the store's report of a commit.
func (s stored) riders(results []store.Result) []store.Rider {
	return s.each(func(i int, r *record) {
		r.number, r.created = results[i].Number, results[i].Change == store.Created
	})
}

// allNew are the riders where every write makes a new resource.
func (s stored) allNew() []store.Rider {
	return s.each(func(_ int, r *record) { r.number, r.created = 1, true })
}

func (s stored) each(became func(i int, r *record)) []store.Rider {
	list := make([]store.Rider, 0, len(s.cuts))
	from := 0
	var r record
	for n, to := range s.cuts {
		w := recordWriter{b: make([]byte, 0, 32*(to-from))}
		for i := from; i < to; i++ {
			write := &s.b.writes[i]
			r.line, r.typ, r.id, r.told = s.b.places[i].line, write.Type, append(r.id[:0], write.ID...), nil
			if i < s.noted {
				r.told = s.b.places[i].told
			}
			became(i, &r)
			w.add(&r)
		}
		list = append(list, store.Rider{Key: successKey(s.jobID, s.at.File, s.at.Successes+n), Value: w.b})
		from = to
	}
	return list
}
