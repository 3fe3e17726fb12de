package ndjson_test

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"tarn/fault"
	"tarn/ndjson"
)

// got is a Line with its bytes copied.
type got struct {
	Number, Offset, End int64
	Text                string
	TooLong             bool
}

// readAll reads to the end; the second result is the error that ended it, nil for io.EOF.
func readAll(r *ndjson.Reader) (lines []got, err error) {
	for {
		line, err := r.Next()
		switch {
		case err == io.EOF:
			return lines, nil
		case errors.Is(err, ndjson.ErrTooLong):
			lines = append(lines, got{line.Number, line.Offset, line.End, string(line.Bytes), true})
		case err != nil:
			return lines, err
		default:
			lines = append(lines, got{line.Number, line.Offset, line.End, string(line.Bytes), false})
		}
	}
}

// model is the plain meaning of a Reader: everything in memory, split at newlines.
func model(data []byte, maxLine int) (lines []got) {
	var offset int64
	for number := int64(1); len(data) > 0; number++ {
		size := len(data)
		if at := bytes.IndexByte(data, '\n'); at >= 0 {
			size = at + 1
		}
		text := bytes.TrimSuffix(data[:size], []byte("\n"))
		if number == 1 {
			text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
		}
		text = bytes.TrimSuffix(text, []byte("\r"))
		line := got{Number: number, Offset: offset, End: offset + int64(size), Text: string(text)}
		if len(text) > maxLine {
			line.Text, line.TooLong = "", true
		}
		if len(bytes.Trim(text, " \t\r")) > 0 {
			lines = append(lines, line)
		}
		offset, data = line.End, data[size:]
	}
	return lines
}

func TestReader_readsLinesWithPlaces(t *testing.T) {
	t.Parallel()
	const bom = "\xef\xbb\xbf"
	cases := []struct {
		name, data string
		want       []got
	}{
		{"empty", "", nil},
		{"one", "{}\n", []got{{1, 0, 3, "{}", false}}},
		{"no last newline", "{}\n[]", []got{{1, 0, 3, "{}", false}, {2, 3, 5, "[]", false}}},
		{"carriage returns", "a\r\nb\r", []got{{1, 0, 3, "a", false}, {2, 3, 5, "b", false}}},
		{"blank lines count", "\n \t\r\n\na\n\n", []got{{4, 6, 8, "a", false}}},
		{"byte order mark", bom + "a\n" + bom + "b", []got{{1, 0, 5, "a", false}, {2, 5, 9, bom + "b", false}}},
		{"only a mark", bom, nil},
		{"exactly the bound", "12345678\r\n", []got{{1, 0, 10, "12345678", false}}},
		{"exactly the bound with mark", bom + "12345678\r\n", []got{{1, 0, 13, "12345678", false}}},
		{"too long, then on", "123456789\nb", []got{{1, 0, 10, "", true}, {2, 10, 11, "b", false}}},
		{"too long at the end", "a\n123456789", []got{{1, 0, 2, "a", false}, {2, 2, 11, "", true}}},
		{"long but blank behind a mark", bom + "             \nb", []got{{2, 17, 18, "b", false}}},
		{"long and a late mark", "             " + bom + "\nb", []got{{1, 0, 17, "", true}, {2, 17, 18, "b", false}}},
		{"long but blank", "         \nb", []got{{2, 10, 11, "b", false}}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for name, source := range map[string]io.Reader{
				"at once": strings.NewReader(c.data), "byte by byte": iotest.OneByteReader(strings.NewReader(c.data)),
				"data with EOF": iotest.DataErrReader(strings.NewReader(c.data)),
			} {
				lines, err := readAll(ndjson.NewReader(source, ndjson.ReaderOptions{MaxLine: 8}))
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(c.want, lines); diff != "" {
					t.Errorf("%s: %s", name, diff)
				}
			}
			if diff := cmp.Diff(c.want, model([]byte(c.data), 8)); diff != "" {
				t.Errorf("the model: %s", diff)
			}
		})
	}
}

// Not parallel: it looks at what the whole process allocates.
func TestReader_passesOverHugeLinesInBoundedMemory(t *testing.T) {
	const huge = 32 << 20
	source := io.MultiReader(strings.NewReader("a\n"), io.LimitReader(endless('x'), huge), strings.NewReader("\nb\n"),
		io.LimitReader(endless(' '), huge), strings.NewReader("\nc"))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	lines, err := readAll(ndjson.NewReader(source, ndjson.ReaderOptions{MaxLine: 1 << 10}))
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	want := []got{{1, 0, 2, "a", false}, {2, 2, huge + 3, "", true}, {3, huge + 3, huge + 5, "b", false},
		{5, 2*huge + 6, 2*huge + 7, "c", false}}
	if diff := cmp.Diff(want, lines); diff != "" {
		t.Error(diff)
	}
	if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 1<<20 {
		t.Errorf("%d bytes allocated", allocated)
	}
}

type endless byte

func (c endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = byte(c)
	}
	return len(p), nil
}

func TestReader_resumesBehindAnyLine(t *testing.T) {
	t.Parallel()
	data := "\xef\xbb\xbfone\n\ntwo\r\n  \nthree-is-long\nfour\nfive"
	options := ndjson.ReaderOptions{MaxLine: 8}
	all, err := readAll(ndjson.NewReader(strings.NewReader(data), options))
	if err != nil || len(all) != 5 {
		t.Fatal(all, err)
	}
	for i, line := range all {
		options.Line, options.Offset = line.Number, line.End
		rest, err := readAll(ndjson.NewReader(strings.NewReader(data[line.End:]), options))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(all[i+1:], rest, cmp.Transformer("nil", func(l []got) []got { return append([]got{}, l...) })); diff != "" {
			t.Errorf("resumed behind line %d: %s", line.Number, diff)
		}
	}
}

func TestReader_givesOutNothingThatAnErrorCutShort(t *testing.T) {
	t.Parallel()
	broken := fault.Errorf(fault.Unavailable, "", "gone")
	r := ndjson.NewReader(io.MultiReader(strings.NewReader("a\nb"), iotest.ErrReader(broken)), ndjson.ReaderOptions{})
	lines, err := readAll(r)
	if diff := cmp.Diff([]got{{1, 0, 2, "a", false}}, lines); diff != "" {
		t.Error(diff)
	}
	if !errors.Is(err, broken) || fault.KindOf(err) != fault.Unavailable {
		t.Errorf("error %v", err)
	}
	if _, again := r.Next(); !errors.Is(again, broken) {
		t.Errorf("second error %v", again)
	}
	if fault.KindOf(ndjson.ErrTooLong) != fault.TooLarge {
		t.Error("ErrTooLong has the wrong kind")
	}
	stuck := ndjson.NewReader(iotest.ErrReader(nil), ndjson.ReaderOptions{})
	if _, err := stuck.Next(); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a source that gives nothing: %v", err)
	}
}

func FuzzReader(f *testing.F) {
	f.Add([]byte("{\"a\":1}\r\n\n \n{}\nlong long long long"), uint8(9), false)
	f.Add([]byte("\xef\xbb\xbf{}\n\xef\xbb\xbf\n\r\r\n"), uint8(2), true)
	f.Fuzz(func(t *testing.T, data []byte, maxLine uint8, slow bool) {
		if maxLine == 0 {
			maxLine = 1
		}
		var source io.Reader = bytes.NewReader(data)
		if slow {
			source = iotest.HalfReader(source)
		}
		lines, err := readAll(ndjson.NewReader(source, ndjson.ReaderOptions{MaxLine: int(maxLine)}))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(model(data, int(maxLine)), lines); diff != "" {
			t.Fatal(diff)
		}
	})
}
