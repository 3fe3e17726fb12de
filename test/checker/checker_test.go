package main

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const patient = `{"resourceType":"Patient","id":"a","meta":{"versionId":"3","lastUpdated":"2026-01-01T00:00:00.003Z"},"name":[{"family":"M\u00fcller \"x\" {"}],"n":1.50}`

func TestRead_leavesOutWhatAStoreStampsAndNothingElse(t *testing.T) {
	t.Parallel()
	want, err := read([]byte(patient))
	if err != nil || want.kind != "Patient" || want.id != "a" || want.version != "3" || want.updated != "2026-01-01T00:00:00.003Z" {
		t.Fatalf("%+v, %v", want, err)
	}
	for what, c := range map[string]struct {
		body string
		same bool
	}{
		"no id, no meta":   {`{"resourceType":"Patient","name":[{"family":"M\u00fcller \"x\" {"}],"n":1.50}`, true},
		"empty meta":       {`{"meta":{},"resourceType":"Patient","name":[{"family":"M\u00fcller \"x\" {"}],"n":1.50}`, true},
		"white space":      {"{\n \"resourceType\" : \"Patient\",\"name\":[ {\"family\":\"M\\u00fcller \\\"x\\\" {\"} ],\t\"n\":1.50\r\n}\n", true},
		"a digit":          {strings.Replace(patient, "1.50", "1.5", 1), false},
		"an escape":        {strings.Replace(patient, `\u00fc`, "ü", 1), false},
		"space in text":    {strings.Replace(patient, `x\" {`, `x\"  {`, 1), false},
		"more meta":        {strings.Replace(patient, `"versionId"`, `"source":"#x","versionId"`, 1), false},
		"the order":        {`{"name":[{"family":"M\u00fcller \"x\" {"}],"resourceType":"Patient","n":1.50}`, false},
		"a member less":    {strings.Replace(patient, `,"n":1.50`, "", 1), false},
		"parted otherwise": {strings.Replace(patient, `,"n":1.50`, `,"n":1.5,"0":0`, 1), false},
	} {
		got, err := read([]byte(c.body))
		if err != nil || (got.sum == want.sum) != c.same {
			t.Errorf("%s: same %v, %v", what, got.sum == want.sum, err)
		}
	}
	for _, bad := range []string{``, `[]`, `{`, `{"id":"a","id":"b"}`, `{"id":1}`, `{"meta":[]}`, `{"a":1}{"b":2}`, `null`} {
		if r, err := read([]byte(bad)); err == nil {
			t.Errorf("%s is read as %+v", bad, r)
		}
	}
}

func FuzzRead_neverBreaks(f *testing.F) {
	f.Add([]byte(patient))
	f.Add([]byte(`{"meta":{"a":[1,{"b":"\\\""}],"versionId":"1"},"x":-1e9,"y":[[],{}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		r, err := read(b)
		if err != nil {
			return
		}
		again, err := read(append([]byte(" "), b...))
		if err != nil || again != r {
			t.Errorf("white space before it makes %+v of %+v, %v", again, r, err)
		}
	})
}

// at is the n-th millisecond of a day.
func at(n int) time.Time { return time.Date(2026, 1, 1, 0, 0, 0, n*1e6, time.UTC) }

func put(number, n int, sum string) version {
	return version{number: number, updated: at(n).Format("2006-01-02T15:04:05.000Z"), at: at(n), sent: at(n), acked: at(n + 1), sum: sum, deleted: sum == ""}
}

func TestCheck_knowsTheVersionThatMustBeThere(t *testing.T) {
	t.Parallel()
	imported := version{number: 1, sent: at(1), acked: at(5), sum: "i"}
	x := entry{Sent: at(20), Time: at(22)} // T is 21
	line := func(v version) resource {
		return resource{kind: "P", id: "a", version: map[int]string{1: "1", 2: "2", 3: "3"}[v.number], updated: v.updated, sum: v.sum}
	}
	known := imported
	known.updated = at(3).Format("2006-01-02T15:04:05.000Z")
	for what, c := range map[string]struct {
		all  []version
		line resource
		want string // part of the problem; empty: none
	}{
		"the import's":         {[]version{imported}, line(known), ""},
		"the last up to T":     {[]version{imported, put(2, 10, "u"), put(3, 22, "v")}, line(put(2, 10, "u")), ""},
		"T itself belongs":     {[]version{put(1, 21, "u")}, line(put(1, 21, "u")), ""},
		"one from later":       {[]version{put(1, 10, "u"), put(2, 22, "v")}, line(put(2, 22, "v")), "later"},
		"only from later":      {[]version{put(1, 22, "v")}, line(put(1, 22, "v")), "later"},
		"one that is outdated": {[]version{put(1, 10, "u"), put(2, 21, "v")}, line(put(1, 10, "u")), "must be version 2"},
		"one that was deleted": {[]version{put(1, 10, "u"), put(2, 15, "")}, line(put(1, 10, "u")), "deleted"},
		"deleted later":        {[]version{put(1, 10, "u"), put(2, 25, "")}, line(put(1, 10, "u")), ""},
		"other bytes":          {[]version{put(1, 10, "u")}, line(put(1, 10, "w")), "altered"},
		"another instant":      {[]version{put(1, 10, "u")}, line(put(1, 11, "u")), "must be of"},
		"an import from later": {[]version{imported}, line(version{number: 1, updated: at(40).Format("2006-01-02T15:04:05.000Z"), sum: "i"}), "is of"},
	} {
		h := &history{versions: c.all}
		ch := &checking{upto: at(21), export: x, seen: map[string]bool{}}
		want, _, certain := h.asOf(ch.upto, x)
		got := ch.compare(c.line, want, h)
		if !certain || (got == "") != (c.want == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: certain %v, %q, want %q", what, certain, got, c.want)
		}
	}
	running := imported
	running.acked = at(30)
	if _, _, certain := (&history{versions: []version{running}}).asOf(at(21), x); certain {
		t.Error("an import that runs while the export starts is decided")
	}
	if want, _, certain := (&history{versions: []version{running, put(2, 15, "u")}}).asOf(at(21), x); !certain || want.number != 2 {
		t.Error("what was imported does not matter where it was changed later")
	}
}

func TestCheck_seesAnswersThatContradictEachOther(t *testing.T) {
	t.Parallel()
	for want, all := range map[string][]version{
		"two writes":      {put(1, 1, "a"), put(2, 2, "b"), put(2, 3, "c")},
		"none between":    {put(1, 1, "a"), put(3, 3, "c")},
		"earlier instant": {put(1, 5, "a"), put(2, 4, "b")},
	} {
		if got := (&history{versions: all}).contradiction(); !strings.Contains(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	lossy := &history{versions: []version{put(1, 1, "a"), put(3, 3, "c")}, lost: []entry{{Sum: "b", Sent: at(1), Time: at(4)}}}
	if got := lossy.contradiction(); got != "" {
		t.Errorf("a lost answer explains the gap, yet: %s", got)
	}
	x := entry{Sent: at(20), Time: at(22)}
	if got := put(1, 10, "a").early(at(9), x); !strings.Contains(got, "before the export was asked for") {
		t.Errorf("T before an acknowledged write: %q", got)
	}
	if got := put(1, 30, "a").early(at(30), x); !strings.Contains(got, "not behind") {
		t.Errorf("T behind a write that came later: %q", got)
	}
	if got := put(1, 21, "a").early(at(21), x) + put(1, 22, "a").early(at(21), x); got != "" {
		t.Errorf("writes beside the start may fall on either side, yet: %s", got)
	}
}

func TestJournal_comesBackAsItWasWritten(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "journal")
	j, err := createJournal(path)
	if err != nil {
		t.Fatal(err)
	}
	when := put(1, 1, "s").updated
	err = j.append(entry{Op: "import", Type: "P", ID: "a", Version: 1, Sum: "s"}, entry{Op: "delete", Type: "P", ID: "a", Version: 3, Updated: when},
		entry{Op: "put", Type: "P", ID: "a", Version: 2, Updated: when, Sum: "t"}, entry{Op: "lost", Type: "P", ID: "b", Sum: "u"}, entry{Op: "export", ID: "job"})
	if err != nil || j.close() != nil {
		t.Fatal(err)
	}
	k, err := readKnown(path)
	if err != nil || len(k.resources) != 2 || len(k.exports) != 1 {
		t.Fatalf("%+v, %v", k, err)
	}
	a := k.resources["P/a"].versions
	if len(a) != 3 || a[0].sum != "s" || a[1].sum != "t" || !a[2].deleted || len(k.resources["P/b"].lost) != 1 {
		t.Errorf("%+v", a)
	}
	if j, err = createJournal(path); err != nil || j.append(entry{Op: "guess"}) != nil || j.close() != nil {
		t.Fatal(err)
	}
	if _, err := readKnown(path); err == nil {
		t.Error("an unknown operation is passed over")
	}
}

func TestRun_saysHowItIsUsed(t *testing.T) {
	t.Parallel()
	for _, args := range [][]string{nil, {"check"}, {"prove", "--journal", "x", "--endpoint", "y"}, {"check", "--journal", "x", "--endpoint", "y", "--folder", "z", "more"},
		{"load", "--journal", "x", "--endpoint", "y"}, {"check", "--unknown"}} {
		var out, err bytes.Buffer
		if code := run(t.Context(), args, &out, &err); code != exitUsage || !strings.Contains(err.String(), "-endpoint") {
			t.Errorf("%q: exit %d\n%s", args, code, err.String())
		}
	}
	var out, err bytes.Buffer
	if code := run(t.Context(), []string{"check", "--endpoint", "http://127.0.0.1:1", "--journal", filepath.Join(t.TempDir(), "none"), "--folder", "s3://b/f"}, &out, &err); code != exitFailed {
		t.Errorf("without a journal: exit %d\n%s", code, err.String())
	}
}
