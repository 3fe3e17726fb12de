package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// lost is a write without an answer; an empty sum is a deletion.
func lost(sent, over int, sum string) entry { return entry{Sent: at(sent), Time: at(over), Sum: sum} }

// TestCheck_aLostWriteIsSettledByALaterOne: a write without an answer explains what an export shows until a write that was
// sent when it was over is acknowledged and shown; after that nothing may be missing, and nothing may come back.
func TestCheck_aLostWriteIsSettledByALaterOne(t *testing.T) {
	t.Parallel()
	x := entry{Sent: at(20), Time: at(22)} // T is 21
	later := []version{put(2, 10, "b"), put(3, 12, "c"), put(4, 14, "d")}
	whole := append([]version{put(1, 5, "a")}, later...) // behind a lost one that was the first, it is later alone
	line := func(number, n int, sum string) *resource {
		return &resource{kind: "P", id: "a", version: fmt.Sprint(number), updated: put(number, n, sum).updated, sum: sum}
	}
	for what, c := range map[string]struct {
		lost      []entry
		all       []version
		line      *resource // nil: the export lacks the resource
		want      string    // part of the problem; empty: none
		undecided int
	}{
		"settled, and missing":              {[]entry{lost(1, 2, "l")}, later, nil, "version 4, is missing", 0},
		"settled, and come back":            {[]entry{lost(1, 2, "l")}, later, line(1, 1, "l"), "is version 1, and must be version 4", 0},
		"settled, as the last number":       {[]entry{lost(1, 2, "l")}, later, line(4, 14, "l"), "altered", 0},
		"settled, as a number behind":       {[]entry{lost(1, 2, "l")}, later, line(5, 15, "l"), "must be version 4", 0},
		"settled, and the last is there":    {[]entry{lost(1, 2, "l")}, later, line(4, 14, "d"), "", 0},
		"a settled deletion, and missing":   {[]entry{lost(1, 2, "")}, later, nil, "missing", 0},
		"open, and applied":                 {[]entry{lost(15, 17, "l")}, whole, line(5, 16, "l"), "", 1},
		"open, and not applied":             {[]entry{lost(15, 17, "l")}, whole, line(4, 14, "d"), "", 0},
		"open, and missing":                 {[]entry{lost(15, 17, "l")}, whole, nil, "missing", 0},
		"an open deletion, and missing":     {[]entry{lost(15, 17, "")}, whole, nil, "", 1},
		"open, and an older one":            {[]entry{lost(15, 17, "l")}, whole, line(3, 12, "c"), "must be version 4", 0},
		"open, under an older number":       {[]entry{lost(15, 17, "l")}, whole, line(3, 12, "l"), "must be version 4", 0},
		"open, and too far":                 {[]entry{lost(15, 17, "l")}, whole, line(6, 16, "l"), "must be version 4", 0},
		"open, and from behind the export":  {[]entry{lost(15, 30, "l")}, whole, line(5, 25, "l"), "must be version 4", 0},
		"open, and an instant that is back": {[]entry{lost(15, 17, "l")}, whole, line(5, 13, "l"), "must be version 4", 0},
		"sent behind the export":            {[]entry{lost(30, 31, "l")}, whole, line(5, 20, "l"), "must be version 4", 0},
		"a deletion sent behind the export": {[]entry{lost(30, 31, "")}, whole, nil, "missing", 0},
		"beside the one that is shown":      {[]entry{lost(13, 15, "l")}, whole, line(5, 15, "l"), "", 1},
		"settled by one that is not shown":  {[]entry{lost(15, 17, "l")}, append(whole[:4:4], put(5, 40, "e")), nil, "missing", 0},
		"open still, as its number is free": {[]entry{lost(15, 17, "l")}, append(whole[:4:4], put(6, 40, "e")), line(5, 16, "l"), "", 1},
		"not one that another one has":      {[]entry{lost(15, 17, "l")}, append(whole[:4:4], put(5, 40, "e")), line(5, 16, "l"), "later", 0},
		"never acknowledged, and missing":   {[]entry{lost(1, 2, "l")}, nil, nil, "", 1},
		"never acknowledged, and there":     {[]entry{lost(1, 2, "l")}, nil, line(1, 1, "l"), "", 1},
		"never sent":                        {[]entry{lost(1, 2, "l")}, nil, line(1, 1, "m"), "had not been written", 0},
		"deleted, and lost before that":     {[]entry{lost(1, 2, "l")}, []version{put(1, 10, "b"), put(2, 12, "")}, line(1, 1, "l"), "deleted", 0},
		"deleted, and lost behind that":     {[]entry{lost(15, 17, "l")}, []version{put(1, 10, "b"), put(2, 12, "")}, line(3, 16, "l"), "", 1},
	} {
		h := &history{versions: c.all, lost: c.lost}
		ch := &checking{upto: at(21), export: x, seen: map[string]bool{}, known: &known{resources: map[string]*history{"P/a": h}}}
		if c.line != nil {
			ch.held("P", "P/P-1-1-1.ndjson", 1, *c.line)
		}
		ch.missing()
		got := ch.report
		texts := strings.Join(got.texts, "; ")
		if (got.problems > 0) != (c.want != "") || !strings.Contains(texts, c.want) || got.undecided != c.undecided {
			t.Errorf("%s: %d undecided, %q; want %d, %q", what, got.undecided, texts, c.undecided, c.want)
		}
	}
}

// TestCheck_aLostWriteFillsOneGap: so many versions may be without an answer between two acknowledged ones as writes were
// lost then.
func TestCheck_aLostWriteFillsOneGap(t *testing.T) {
	t.Parallel()
	for what, c := range map[string]struct {
		lost []entry
		all  []version
		want string
	}{
		"one":               {[]entry{lost(2, 4, "l")}, []version{put(1, 1, "a"), put(3, 5, "c")}, ""},
		"two for one":       {[]entry{lost(2, 4, "l")}, []version{put(1, 1, "a"), put(4, 5, "c")}, "none between 1"},
		"two for two":       {[]entry{lost(2, 3, "l"), lost(3, 4, "m")}, []version{put(1, 1, "a"), put(4, 5, "c")}, ""},
		"from before":       {[]entry{lost(1, 2, "l")}, []version{put(1, 5, "a"), put(3, 7, "c")}, "none between 1"},
		"from behind":       {[]entry{lost(9, 10, "l")}, []version{put(1, 5, "a"), put(3, 7, "c")}, "none between 1"},
		"one for two gaps":  {[]entry{lost(2, 9, "l")}, []version{put(1, 1, "a"), put(3, 5, "c"), put(5, 8, "e")}, "none between 3"},
		"each for its own":  {[]entry{lost(2, 9, "l"), lost(2, 4, "m")}, []version{put(1, 1, "a"), put(3, 5, "c"), put(5, 8, "e")}, ""},
		"before all others": {[]entry{lost(1, 2, "l")}, []version{put(2, 10, "b"), put(3, 12, "c")}, ""},
	} {
		if got := (&history{versions: c.all, lost: c.lost}).contradiction(); (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", what, got, c.want)
		}
	}
}

// TestKnown_keepsTheTimesOfLostWrites, on which all of that stands.
func TestKnown_keepsTheTimesOfLostWrites(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	j, err := createJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	e := lost(3, 5, "l")
	e.Op, e.Type, e.ID = "lost", "P", "a"
	if err := j.append(e); err != nil || j.close() != nil {
		t.Fatal(err)
	}
	k, err := readKnown(path)
	if err != nil {
		t.Fatal(err)
	}
	if l := k.resources["P/a"].lost; len(l) != 1 || !l[0].Sent.Equal(at(3)) || !l[0].Time.Equal(at(5)) {
		t.Errorf("%+v", l)
	}
}
