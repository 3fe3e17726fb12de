package store

import (
	"time"
)

// TestQueue lets tests drive the queue alone.
type TestQueue struct {
	q     queue
	names map[*pending]string
}

func NewTestQueue() *TestQueue {
	t := &TestQueue{names: map[*pending]string{}}
	t.q.init()
	return t
}

// Add puts a transaction of size bytes into the queue; the result takes it back.
func (t *TestQueue) Add(name string, bulk bool, size int) (drop func() bool) {
	p := &pending{t: &Transaction{Bulk: bulk}, size: size}
	t.names[p] = name
	t.q.add(p)
	return func() bool { return t.q.drop(p) }
}

// Take is the next group, which takes d; off of its members are put off.
func (t *TestQueue) Take(d time.Duration, off ...string) (names []string) {
	group, hasBulk := t.q.take()
	t.q.spent(d, hasBulk)
	var back []*pending
	for _, p := range group {
		names = append(names, t.names[p])
		for _, o := range off {
			if o == t.names[p] {
				back = append(back, p)
			}
		}
	}
	t.q.putOff(back)
	return names
}

func (t *TestQueue) Close() { t.q.close() }

func EscapeValue(value []byte, ordinal Ordinal) []byte {
	return searchKey(nil, 1, Entry{Param: 1, Value: value}, ordinal)
}

func UnescapeValue(key []byte) ([]byte, Ordinal, bool) { return parseSearchKey(nil, key) }

func ParseRow(value []byte) bool {
	var r row
	return r.parse(value)
}

func ParseHead(value []byte) error { _, err := parseHead(value); return err }

func ParseForward(value []byte) bool { _, _, ok := parseForward(value); return ok }

func (t *TestQueue) Spent(d time.Duration, hasBulk bool) { t.q.spent(d, hasBulk) }

// NewTestPace lets tests drive a pace alone.
func NewTestPace(share int, contended func() bool) *Pace {
	return (&View{contended: contended}).Pace(share)
}

// The bounds of a pace.
const (
	PaceBytes   = paceBytes
	PaceLongest = paceLongest
)
