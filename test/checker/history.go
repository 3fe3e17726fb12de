package main

import (
	"fmt"
	"slices"
	"time"
)

// version is what the journal knows of one version of a resource.
type version struct {
	number  int
	updated string    // as the store said it; empty for what an import brought
	at      time.Time // updated, read
	sent    time.Time
	acked   time.Time
	sum     string // empty for a tombstone
	deleted bool
}

// history is what the journal knows of one resource.
type history struct {
	versions []version // by number
	lost     []entry   // writes without an answer
}

// known is the journal, read: every resource that anybody wrote.
type known struct {
	resources map[string]*history // by Type/id
	exports   map[string]entry    // by job
}

func readKnown(path string) (*known, error) {
	k := &known{resources: map[string]*history{}, exports: map[string]entry{}}
	err := readJournal(path, func(e entry) error {
		if e.Op == "export" {
			k.exports[e.ID] = e
			return nil
		}
		name := e.Type + "/" + e.ID
		h := k.resources[name]
		if h == nil {
			h = &history{}
			k.resources[name] = h
		}
		v := version{number: e.Version, updated: e.Updated, sent: e.Sent, acked: e.Time, sum: e.Sum, deleted: e.Op == "delete"}
		switch e.Op {
		case "lost":
			h.lost = append(h.lost, e)
			return nil
		case "put", "delete":
			var err error
			if v.at, err = instant(e.Updated); err != nil {
				return err
			}
		case "import":
		default:
			return fmt.Errorf("unknown operation %q", e.Op)
		}
		h.versions = append(h.versions, v)
		return nil
	})
	for _, h := range k.resources {
		slices.SortFunc(h.versions, func(a, b version) int { return a.number - b.number })
	}
	return k, err
}

// contradiction says what cannot be true of a resource's acknowledged versions, whatever an export says: their numbers
// are 1, 2, 3, ... without a gap (unless answers were lost that can have filled it), and their instants never go back.
func (h *history) contradiction() string {
	last := version{}
	left := slices.SortedFunc(slices.Values(h.lost), func(a, b entry) int { return a.Time.Compare(b.Time) })
	for _, v := range h.versions {
		switch {
		case v.number == last.number:
			return fmt.Sprintf("two writes were acknowledged as version %d", v.number)
		case !fills(&left, v.number-last.number-1, last, v):
			return fmt.Sprintf("version %d was acknowledged, and none between %d and it", v.number, last.number)
		case v.updated != "" && v.at.Before(last.at):
			return fmt.Sprintf("version %d has an earlier instant than version %d", v.number, last.number)
		}
		at := last.at
		if last = v; v.updated == "" {
			last.at = at
		}
	}
	return ""
}

// fills takes as many lost writes as a gap between two acknowledged versions needs: ones that were not over before the
// first of them was sent, and had been sent when the other one was answered. Each fills one gap only; those that were
// over first, by which left is sorted, serve first, since they can serve the fewest gaps behind.
func fills(left *[]entry, gap int, from, to version) bool {
	for ; gap > 0; gap-- {
		i := slices.IndexFunc(*left, func(e entry) bool { return !e.Time.Before(from.sent) && !e.Sent.After(to.acked) })
		if i < 0 {
			return false
		}
		*left = slices.Delete(*left, i, i+1)
	}
	return true
}

// shown reports whether an export that shows everything up to an instant shows this version. What has no instant, an
// import's, is decided by when the import began and was seen to have ended; certain is false where that cannot decide.
func (v version) shown(upto time.Time, x entry) (shown, certain bool) {
	if v.updated != "" {
		return !v.at.After(upto), true
	}
	return v.acked.Before(x.Sent), v.acked.Before(x.Sent) || v.sent.After(x.Time)
}

// asOf is the version that an export must show: the last one with an instant up to its own. There may be none, or a
// tombstone. open are the lost writes that it may show instead; certain is false where the journal cannot tell.
func (h *history) asOf(upto time.Time, x entry) (want *version, open []entry, certain bool) {
	certain = true
	for i := range h.versions {
		shown, sure := h.versions[i].shown(upto, x)
		if shown {
			want = &h.versions[i]
			certain = true // what came before it does not matter
		}
		if !sure {
			certain = false
		}
	}
	for _, e := range h.lost {
		if !e.settled(want, x) {
			open = append(open, e)
		}
	}
	return want, open, certain && len(open) == 0
}

// settled reports whether an export cannot show what a lost write may have left: the write was over, applied or not,
// before the version was sent that the export shows, or was sent when the export had its instant already.
func (e entry) settled(want *version, x entry) bool {
	return want != nil && e.Time.Before(want.sent) || e.Sent.After(x.Time)
}

// early says of an acknowledged write that its instant is on the wrong side of the export's: a write that was answered
// before the export was asked for is in it, and one that was sent after that was answered is not.
func (v version) early(upto time.Time, x entry) string {
	switch {
	case v.updated == "":
	case v.acked.Before(x.Sent) && v.at.After(upto):
		return fmt.Sprintf("version %d was acknowledged before the export was asked for, yet its instant %s is behind the export's", v.number, v.updated)
	case v.sent.After(x.Time) && !v.at.After(upto):
		return fmt.Sprintf("version %d was sent after the export had been accepted, yet its instant %s is not behind the export's", v.number, v.updated)
	}
	return ""
}
