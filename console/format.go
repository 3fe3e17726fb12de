package console

import (
	"fmt"
	"strings"
	"time"

	"tarn/api/client"
)

// formats are the functions of templates.
var formats = map[string]any{
	"time":     formatTime,
	"iso":      func(t time.Time) string { return t.UTC().Format(time.RFC3339) },
	"bytes":    formatBytes,
	"count":    formatCount,
	"duration": formatDuration,
	"tone":     tone,
	"words":    words,
	"plural":   plural,
	"short":    short,
	"at":       func(e client.Epoch) time.Time { return e.Time() },
	"args": func(name, chosen string, list picker, empty string) pickerArgs {
		return pickerArgs{name, chosen, list, empty}
	},
}

// pickerArgs is what the template of a picker needs.
type pickerArgs struct {
	Name, Chosen string
	List         picker
	Empty        string // the entry for nothing chosen
}

// formatTime is a time as people read it, in UTC; empty for none.
func formatTime(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2 Jan 2006, 15:04:05 UTC")
}

// formatBytes is a size in the unit that suits it: 1.5 MB is 1,500,000 bytes.
func formatBytes(n int64) string {
	if n < 1000 {
		return fmt.Sprintf("%d B", n)
	}
	size, unit := float64(n)/1000, 0
	for size >= 999.95 && unit < 4 {
		size, unit = size/1000, unit+1
	}
	return fmt.Sprintf("%.1f %cB", size, "kMGTP"[unit])
}

// formatCount groups the digits of a number.
func formatCount(n int64) string {
	if n < 0 {
		return "-" + formatCount(-n)
	}
	s := fmt.Sprint(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// formatDuration is a span to the precision that suits it.
func formatDuration(d time.Duration) string {
	switch {
	case d < 0:
		return ""
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	case d < time.Minute:
		return fmt.Sprintf("%.1f s", d.Seconds())
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", int(d.Minutes()), int(d.Seconds())%60)
	}
	return fmt.Sprintf("%d h %d min", int(d.Hours()), int(d.Minutes())%60)
}

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return formatCount(int64(n)) + " " + many
}

// short is the start of an id, enough to tell it from others at a glance.
func short(id string) string {
	if len(id) > 8 {
		return id[:8]
	}
	return id
}

// words is a status such as COMPLETED_WITH_ERRORS as people write it.
func words(status string) string {
	s := strings.ToLower(strings.ReplaceAll(status, "_", " "))
	if s == "" {
		return "Unknown"
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// tone is how good or bad a status is: ok, bad, warn, run (something goes on), wait, or off.
func tone(status string) string {
	switch status {
	case "ACTIVE", "COMPLETED":
		return "ok"
	case "FAILED", "CREATE_FAILED", "UPDATE_FAILED", "CANCEL_FAILED":
		return "bad"
	case "COMPLETED_WITH_ERRORS":
		return "warn"
	case "IN_PROGRESS", "CREATING", "UPDATING", "DELETING", "CANCEL_SUBMITTED", "CANCEL_IN_PROGRESS":
		return "run"
	case "SUBMITTED", "QUEUED":
		return "wait"
	}
	return "off"
}
