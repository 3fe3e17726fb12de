package ndjson_test

import (
	"bytes"
	"testing"

	"pgregory.net/rapid"

	"tarn/ndjson"
)

func TestCutter_cutsByLinesAndBytes(t *testing.T) {
	t.Parallel()
	cases := []struct {
		name   string
		bounds ndjson.Bounds
		sizes  []int
		files  []int // lines in each
	}{
		{"nothing", ndjson.Bounds{Lines: 2, Bytes: 10}, nil, nil},
		{"by lines", ndjson.Bounds{Lines: 2, Bytes: 100}, []int{1, 1, 1, 1, 1}, []int{2, 2, 1}},
		{"by bytes, newline counted", ndjson.Bounds{Lines: 9, Bytes: 10}, []int{4, 4, 4, 5, 4}, []int{2, 1, 1, 1}},
		{"a larger line stands alone", ndjson.Bounds{Lines: 9, Bytes: 10}, []int{1, 50, 1, 1}, []int{1, 1, 2}},
		{"a larger line comes first", ndjson.Bounds{Lines: 9, Bytes: 10}, []int{50, 1}, []int{1, 1}},
		{"a line fills a file", ndjson.Bounds{Lines: 9, Bytes: 10}, []int{9, 9}, []int{1, 1}},
		{"defaults", ndjson.Bounds{}, make([]int, 5001), []int{5000, 1}},
		{"default bytes", ndjson.Bounds{}, []int{64<<20 - 2, 0, 0}, []int{2, 1}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			var files []int
			cutter := ndjson.NewCutter(c.bounds)
			for _, size := range c.sizes {
				if !cutter.Fits(size) {
					files = append(files, cutter.Lines())
					cutter.Cut()
				}
				cutter.Take(size)
			}
			if cutter.Lines() > 0 {
				files = append(files, cutter.Lines())
			}
			if len(files) != len(c.files) {
				t.Fatalf("files %v, want %v", files, c.files)
			}
			for i := range files {
				if files[i] != c.files[i] {
					t.Fatalf("files %v, want %v", files, c.files)
				}
			}
		})
	}
}

func TestCutter_keepsItsBoundsAndLosesNoLine(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		bounds := ndjson.Bounds{Lines: rapid.IntRange(1, 6).Draw(t, "lines"), Bytes: rapid.IntRange(1, 40).Draw(t, "bytes")}
		sizes := rapid.SliceOf(rapid.IntRange(0, 60)).Draw(t, "sizes")
		cutter := ndjson.NewCutter(bounds)
		var all, file []byte
		for _, size := range sizes {
			line := bytes.Repeat([]byte{'x'}, size)
			if !cutter.Fits(size) {
				if len(file)+size+1 <= bounds.Bytes && cutter.Lines() < bounds.Lines {
					t.Fatal("cut before a line that fits")
				}
				cutter.Cut()
				file = nil
			}
			file = ndjson.AppendLine(file, line)
			all = ndjson.AppendLine(all, line)
			cutter.Take(size)
			if cutter.Bytes() != len(file) || cutter.Lines() != bytes.Count(file, []byte("\n")) {
				t.Fatalf("counts %d lines, %d bytes of %q", cutter.Lines(), cutter.Bytes(), file)
			}
			if cutter.Lines() > bounds.Lines || cutter.Lines() > 1 && len(file) > bounds.Bytes {
				t.Fatalf("over the bounds %+v: %q", bounds, file)
			}
		}
		if bytes.Count(all, []byte("\n")) != len(sizes) {
			t.Fatal("lines were lost")
		}
	})
}
