package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// machine says what this ran on, as far as it matters to the figures.
func (b *bench) machine() string {
	model := "unknown processor"
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, ok := strings.CutPrefix(line, "model name"); ok {
				model = strings.TrimSpace(strings.TrimLeft(name, "\t :"))
				break
			}
		}
	}
	busy := ""
	if load, err := strconv.ParseFloat(b.loadBefore, 64); err == nil && load > float64(runtime.NumCPU())/4 {
		busy = ". **Other programs kept the processors busy** before the run began and most likely all through it: the rates are far\nbelow what this machine does alone, and only what is compared within the run tells much"
	}
	return fmt.Sprintf("%s, %d cores, %s/%s, %s; load average before the start %s, at the end %s; one processor copied memory at %.1f GB/s before,\n%.1f at the end; %s%s",
		model, runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version(), b.loadBefore, loadAverage(), b.copyBefore, copySpeed(), time.Now().UTC().Format(time.DateOnly), busy)
}

// loadAverage is how many threads wanted to run on average during the last minute.
func loadAverage() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	load, _, _ := strings.Cut(string(text), " ")
	return load
}

// copySpeed is how many GB a second one processor copies from memory to memory. It differs tenfold on machines whose
// memory others use too, where the load average says nothing.
func copySpeed() float64 {
	from, to := make([]byte, 64<<20), make([]byte, 64<<20)
	copy(from, to)
	copy(to, from)
	best := time.Duration(1<<63 - 1)
	for range 5 {
		begin := time.Now()
		copy(to, from)
		best = min(best, time.Since(begin))
	}
	return float64(len(to)) / float64(best.Nanoseconds())
}
