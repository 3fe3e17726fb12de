package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/jedib0t/go-pretty/v6/table"
	"golang.org/x/term"
)

// screen is where a command reads and prints: results on out, everything else on err.
type screen struct {
	in       io.Reader
	out, err io.Writer
	live     bool // err is a terminal: progress may be drawn over and over
	outLive  bool // out is one
	plain    bool // no colours
}

func newScreen() *screen {
	return &screen{in: os.Stdin, out: os.Stdout, err: os.Stderr, live: term.IsTerminal(int(os.Stderr.Fd())), outLive: term.IsTerminal(int(os.Stdout.Fd())),
		plain: os.Getenv("NO_COLOR") != "" || os.Getenv("TERM") == "dumb"}
}

// note prints a line about what is going on.
func (s *screen) note(format string, args ...any) { fmt.Fprintf(s.err, format+"\n", args...) }

// say prints a line of the result.
func (s *screen) say(format string, args ...any) { fmt.Fprintf(s.out, format+"\n", args...) }

// json prints a result for machines.
func (s *screen) json(v any) error {
	e := json.NewEncoder(s.out)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func (s *screen) colour(code, text string, live bool) string {
	if s.plain || !live {
		return text
	}
	return "\x1b[" + code + "m" + text + "\x1b[0m"
}

func (s *screen) red(text string) string   { return s.colour("31", text, s.live) }
func (s *screen) bold(text string) string  { return s.colour("1", text, s.live) }
func (s *screen) head(text string) string  { return s.colour("1", text, s.outLive) }
func (s *screen) good(text string) string  { return s.colour("32", text, s.outLive) }
func (s *screen) faint(text string) string { return s.colour("2", text, s.outLive) }

// table prints rows under a head.
func (s *screen) table(head []string, rows [][]string) {
	t := table.NewWriter()
	style := table.StyleLight
	style.Options = table.Options{}
	style.Box.PaddingLeft = ""
	style.Box.PaddingRight = "  "
	t.SetStyle(style)
	t.SetOutputMirror(s.out)
	t.AppendHeader(rowOf(head))
	for _, r := range rows {
		t.AppendRow(rowOf(r))
	}
	t.SuppressTrailingSpaces()
	t.Render()
}

func rowOf(cells []string) table.Row {
	row := make(table.Row, len(cells))
	for i, c := range cells {
		row[i] = c
	}
	return row
}

// comma writes a number with its thousands apart.
func comma[N int | int64 | uint64](n N) string {
	digits := strconv.FormatInt(int64(n), 10)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

// size writes bytes in a unit that fits.
func size(n int64) string {
	unit := []string{"B", "kB", "MB", "GB", "TB", "PB"}
	f, i := float64(n), 0
	for f >= 999.5 && i < len(unit)-1 {
		f, i = f/1000, i+1
	}
	if i == 0 || f >= 100 {
		return fmt.Sprintf("%.0f %s", f, unit[i])
	}
	return fmt.Sprintf("%.1f %s", f, unit[i])
}

// took writes a duration as people say it.
func took(d time.Duration) string {
	switch {
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	default:
		return d.Round(time.Second).String()
	}
}

// clock writes an instant of a job.
func clock(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05")
}

// plural is the number and the noun, which takes an s but for 1.
func plural[N int | int64](n N, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return comma(n) + " " + noun + "s"
}

// cut shortens a line to n runes.
func cut(line string, n int) string {
	line = strings.TrimRight(line, "\n")
	if r := []rune(line); len(r) > n {
		return string(r[:n-1]) + "…"
	}
	return line
}

func (s *screen) faintErr(text string) string { return s.colour("2", text, s.live) }
