// Package ndjson cuts newline-delimited JSON into files by lines and bytes, and reads it line by line with numbers and
// offsets, in bounded memory.
package ndjson

// The bounds of a file of an export.
const (
	DefaultLines = 5_000
	DefaultBytes = 64 << 20
)

// Bounds are the most lines and bytes (newlines included) of one file. Zero fields mean DefaultLines and DefaultBytes.
type Bounds struct{ Lines, Bytes int }

// Cutter decides where one file ends and the next begins; it holds no data. The zero Cutter has the default bounds.
// It depends on nothing but the sizes that it is told, so the same lines are cut the same way every time.
//
//	if !cutter.Fits(len(line)) { finish the file; cutter.Cut() }
//	cutter.Take(len(line))
//	buf = ndjson.AppendLine(buf, line)
type Cutter struct {
	bounds       Bounds
	lines, bytes int
}

// NewCutter makes a Cutter with the bounds.
func NewCutter(bounds Bounds) Cutter { return Cutter{bounds: bounds} }

// Fits reports whether a line of size bytes (its newline not counted) may still go into the file under way. An empty
// file takes any line: one that is over the bound of bytes stands alone.
func (c *Cutter) Fits(size int) bool {
	if c.lines == 0 {
		return true
	}
	lines, bytes := c.bounds.Lines, c.bounds.Bytes
	if lines <= 0 {
		lines = DefaultLines
	}
	if bytes <= 0 {
		bytes = DefaultBytes
	}
	return c.lines < lines && size < bytes-c.bytes
}

// Take counts a line of size bytes into the file under way, fitting or not.
func (c *Cutter) Take(size int) {
	c.lines++
	c.bytes += size + 1
}

// Cut begins the next file.
func (c *Cutter) Cut() { c.lines, c.bytes = 0, 0 }

// Lines is the number of lines in the file under way.
func (c *Cutter) Lines() int { return c.lines }

// Bytes is the size of the file under way, newlines included.
func (c *Cutter) Bytes() int { return c.bytes }

// AppendLine appends a line, which holds no newline itself, and its newline to dst.
func AppendLine(dst, line []byte) []byte { return append(append(dst, line...), '\n') }
