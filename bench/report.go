package main

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// report gathers figures in the order in which they were taken.
type report struct{ rows []figure }

type figure struct{ what, value, goal, note string }

func (r *report) add(what, value, goal, note string) {
	r.rows = append(r.rows, figure{what, value, goal, note})
	fmt.Printf("%-58s %-24s %s\n", what, value, note)
}

// text is the report as Markdown.
func (r *report) text(machine string) string {
	var b strings.Builder
	b.WriteString("# Benchmarks\n\nTaken by `go run ./bench` in one run: the server as a process of its own, the load generator on the same cores. The row\nof the import says how much data; `-patients` and `-input` choose it.\n\n")
	fmt.Fprintf(&b, "Machine: %s.\n\n| what | measured | to reach | how |\n|---|---|---|---|\n", machine)
	for _, f := range r.rows {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", f.what, f.value, f.goal, f.note)
	}
	return b.String()
}

func median[T int64 | float64 | time.Duration](all []T) T {
	s := slices.Sorted(slices.Values(all))
	if len(s) == 0 {
		return 0
	}
	return s[len(s)/2]
}

// percentile is the p-th of 100 of the durations.
func percentile(all []time.Duration, p float64) time.Duration {
	s := slices.Sorted(slices.Values(all))
	if len(s) == 0 {
		return 0
	}
	return s[min(len(s)-1, int(float64(len(s))*p/100))]
}

func perSecond(n int64, d time.Duration) float64 { return float64(n) / d.Seconds() }

func ms(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond)) }
