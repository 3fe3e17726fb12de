package main

import (
	"sync"
	"time"

	"github.com/jedib0t/go-pretty/v6/progress"
)

// bar shows how far something has come: drawn over and over on a terminal, a plain line now and then elsewhere. It is
// gone when it has ended, so that a line with the outcome can take its place.
type bar struct {
	s       *screen
	label   string
	units   progress.Units
	tracker *progress.Tracker // nil where nothing is drawn
	stopped chan struct{}

	mu   sync.Mutex
	told time.Time
}

// plainEvery is how often progress is told where no bar can be drawn.
const plainEvery = 5 * time.Second

// bytes counts in kB, MB and GB, things in thousands.
var (
	unitBytes  = progress.Units{Formatter: func(n int64) string { return size(n) }}
	unitThings = progress.Units{Formatter: func(n int64) string { return comma(n) }}
)

// newBar begins a bar. A total of 0 is not known yet.
func (s *screen) newBar(label string, total int64, units progress.Units) *bar {
	b := &bar{s: s, label: label, units: units, told: time.Now()}
	if !s.live {
		return b
	}
	w := progress.NewWriter()
	w.SetOutputWriter(s.err)
	w.SetAutoStop(true)
	w.SetTrackerLength(28)
	w.SetTrackerPosition(progress.PositionRight) // of the label
	w.SetMessageLength(20)
	w.SetUpdateFrequency(80 * time.Millisecond)
	w.SetStyle(progress.StyleBlocks)
	style := w.Style()
	style.Options.Separator = " "
	style.Options.PercentFormat = "%3.0f%%"
	style.Options.TimeInProgressPrecision = 100 * time.Millisecond
	style.Visibility.TrackerOverall = false
	style.Visibility.ETAOverall = false
	style.Visibility.Speed = true
	style.Options.SpeedPrecision = time.Millisecond
	if !s.plain {
		style.Colors = progress.StyleColorsExample
	}
	b.tracker = &progress.Tracker{Message: label, Total: total, Units: units, AutoStopDisabled: true, RemoveOnCompletion: true}
	b.stopped = make(chan struct{})
	w.AppendTracker(b.tracker)
	go func() {
		defer close(b.stopped)
		w.Render()
	}()
	return b
}

// set tells how far it has come. It is safe for concurrent use.
func (b *bar) set(done, total int64) {
	if b.tracker != nil {
		b.tracker.UpdateTotal(total)
		b.tracker.SetValue(done)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if now := time.Now(); now.Sub(b.told) >= plainEvery {
		b.told = now
		switch {
		case total > 0:
			b.s.note("%s: %s of %s", b.label, b.units.Formatter(done), b.units.Formatter(total))
		case done > 0:
			b.s.note("%s: %s", b.label, b.units.Formatter(done))
		default:
			b.s.note("%s", b.label)
		}
	}
}

// relabel says what is going on now.
func (b *bar) relabel(label string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.label != label && b.tracker != nil {
		b.tracker.UpdateMessage(label)
	}
	b.label = label
}

// end takes the bar away.
func (b *bar) end() {
	if b.tracker != nil {
		b.tracker.MarkAsDone()
		<-b.stopped
		b.tracker = nil
	}
}
