// Package crash_test kills a real server again and again in the middle of exports and imports while clients write and
// read, and holds what is there afterwards against undisturbed jobs and against the journal of what was acknowledged.
package crash_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"tarn/test/server"
)

// The program is built with crash points: see app/crashpoints.go.
func TestMain(m *testing.M) { os.Exit(server.Main(m, "crashpoints")) }

// kills is how many kills count before TestCrash ends.
func kills(t *testing.T) int {
	t.Helper()
	text := os.Getenv("TARN_TEST_KILLS")
	if text == "" {
		return 9
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("TARN_TEST_KILLS=%q is no number of kills", text)
	}
	return n
}

// perServer is how many kills a server gets before another one with a fresh data directory takes its place, so that what
// is checked each time does not grow for ever.
const perServer = 24

// TestCrash_losesAndDoublesNothing is the proof. A kill counts if the job was IN_PROGRESS (claimed, and not ended) and
// writes had been sent that were never answered.
func TestCrash_losesAndDoublesNothing(t *testing.T) {
	want := kills(t)
	total := tally{}
	for n := 0; total.counted() < want && !t.Failed(); n++ {
		t.Run(fmt.Sprintf("server-%d", n), func(t *testing.T) {
			s := open(t, int64(n))
			for before := total.counted(); total.counted() < min(want, before+perServer) && !t.Failed(); {
				s.round(total)
			}
			s.end()
		})
	}
	t.Log(total)
}

// tally counts kills by job and point.
type tally map[string]int

const uncounted = "not counted: "

func (c tally) counted() (n int) {
	for what, k := range c {
		if !strings.HasPrefix(what, uncounted) {
			n += k
		}
	}
	return n
}

// String is the report.
func (c tally) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d kills counted: the job was IN_PROGRESS and writes were in flight", c.counted())
	var lines []string
	for what, k := range c {
		lines = append(lines, fmt.Sprintf("\n%6d  %s", k, what))
	}
	slices.SortFunc(lines, func(a, b string) int { return strings.Compare(a[9:], b[9:]) })
	for _, l := range lines {
		b.WriteString(l)
	}
	return b.String()
}
