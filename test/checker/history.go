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
// are 1, 2, 3, ... without a gap (unless answers were lost), and their instants never go back.
func (h *history) contradiction() string {
	last := version{}
	for _, v := range h.versions {
		switch {
		case v.number == last.number:
			return fmt.Sprintf("two writes were acknowledged as version %d", v.number)
		case v.number != last.number+1 && len(h.lost) == 0:
			return fmt.Sprintf("version %d was acknowledged, and none between %d and it", v.number, last.number)
		case v.updated != "" && v.at.Before(last.at):
			return fmt.Sprintf("version %d has an earlier instant than version %d", v.number, last.number)
		}
		if last.number, last.at = v.number, v.at; v.updated == "" {
			last.at = time.Time{}
		}
	}
	return ""
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
// tombstone. certain is false where the journal cannot tell.
func (h *history) asOf(upto time.Time, x entry) (want *version, certain bool) {
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
	return want, certain && len(h.lost) == 0
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
