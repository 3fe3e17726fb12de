// Command bench takes the measurements of docs/benchmarks.md: it builds the server, runs it as a process of its own on a
// fresh data directory, and measures each figure beside a limit of the same run where there is one. The load generator
// shares the machine with the server. With -write FILE the report goes there.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

func main() {
	debug.SetGCPercent(1000) // what collects garbage here takes processors from the server that is measured
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var o options
	flag.StringVar(&o.input, "input", "", "folder of .ndjson files to load; empty: an invented population")
	flag.IntVar(&o.patients, "patients", 600, "size of the invented population (some 318 resources each)")
	flag.DurationVar(&o.load, "load", 10*time.Second, "how long each load of requests lasts")
	flag.IntVar(&o.runs, "runs", 3, "how often exports are measured; the medians are reported")
	flag.StringVar(&o.write, "write", "", "file for the report")
	flag.StringVar(&o.dir, "dir", "", "folder for all data, on the disk to be measured; empty: a temporary one")
	flag.StringVar(&o.only, "only", "", "measure only these, by name and separated by commas; all but prepare need import, which is measured too")
	flag.IntVar(&o.pieces, "pieces", 0, "how many further pieces are imported behind the input, each made, imported and removed")
	flag.StringVar(&o.piece, "piece", "", "shell command that makes piece $PIECE (from 1) as .ndjson files in the folder $DIR")
	flag.StringVar(&o.cgroup, "cgroup", "", "folder of a memory control group (version 1) that the server is put into, to limit it with its page cache")
	flag.Parse()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

type options struct {
	input    string
	patients int
	load     time.Duration
	runs     int
	write    string
	only     string
	dir      string
	pieces   int
	piece    string
	cgroup   string
}

// run takes all measurements, one after the other.
func run(ctx context.Context, o options) (err error) {
	dir, err := os.MkdirTemp(o.dir, "tarn-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{options: o, loadBefore: loadAverage(), copyBefore: copySpeed(), dir: dir, tarn: filepath.Join(dir, "tarn"), report: &report{}}
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", b.tarn, "./cmd/tarn")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("go build ./cmd/tarn (run this in the root of the project): %w", err)
	}
	if err := b.population(ctx); err != nil {
		return err
	}
	if err := b.start(ctx); err != nil {
		return err
	}
	defer func() { b.server.kill() }()
	for _, m := range []struct {
		name string
		f    func(context.Context) error
	}{
		{"prepare", b.preparation},
		{"import", b.imports},
		{"growth", b.growth},
		{"search", b.searches},
		{"everything", b.everything},
		{"transactions", b.transactions},
		{"grown-export", b.grownExport},
		{"export", b.exports},
		{"requests", b.requests},
		{"latency", b.latencies},
		{"share", b.shares},
		{"restart", b.restarts},
		{"resume", b.resumes},
	} {
		if !b.wants(m.name) {
			continue
		}
		fmt.Fprintln(os.Stderr, "measuring:", m.name)
		if err := m.f(ctx); err != nil {
			if ctx.Err() != nil {
				return err
			}
			b.report.add(m.name, "not measured", "", err.Error())
		}
	}
	text := b.report.text(b.machine())
	fmt.Print(text)
	if o.write != "" {
		if old, err := os.ReadFile(o.write); err == nil { // what was written by hand below the table stays
			if _, rest, ok := strings.Cut(string(old), "\n## "); ok {
				text += "\n## " + rest
			}
		}
		return os.WriteFile(o.write, []byte(text), 0o644)
	}
	return nil
}

// bench is one run.
type bench struct {
	options
	dir        string
	tarn       string // the program
	data       string // folder of the input
	count      int64  // resources in it
	bytes      int64
	probes     int
	loadBefore string
	copyBefore float64 // GB/s
	server     *server
	place      place
	report     *report
	serveFlags []string // of the server, beyond the usual ones
}

// wants reports whether something is to be measured. All but prepare need what import leaves.
func (b *bench) wants(name string) bool {
	if b.only == "" {
		return true
	}
	list := strings.Split(b.only, ",")
	return slices.Contains(list, name) || name == "import" && !slices.Equal(list, []string{"prepare"})
}
