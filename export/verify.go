package export

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"tarn/fault"
	"tarn/fhir"
)

// Source reads an export's folder as an outsider does: names are below the folder.
type Source interface {
	Open(ctx context.Context, name string) (io.ReadCloser, error) // fault.NotFound where there is none
	Names(ctx context.Context) iter.Seq2[string, error]
}

// Problem is one thing that a verification found wrong.
type Problem struct {
	Name string `json:"name"` // of the file below the folder
	Text string `json:"text"` // a sentence
}

// Report is the outcome of a verification.
type Report struct {
	Manifest Manifest  `json:"manifest"`
	Verified int       `json:"verified"` // resources in files that are as they must be
	Problems []Problem `json:"problems"`
}

// Verify reads every file of an export again and proves it against its manifest: that each is there, none besides, and
// each has the count, bytes and SHA-256 that the manifest says, every line one resource of the file's type, no id
// twice in a type. With digests (what the store says that the files must be, see Service.Digests) it proves manifest
// and files against the store too. progress is called after each file with the resources read so far; it may be nil.
// The error is about the reading; what is wrong with the export stands in the report.
func Verify(ctx context.Context, src Source, digests []File, progress func(done int)) (Report, error) {
	raw, err := readAll(ctx, src, ManifestName)
	if fault.Is(err, fault.NotFound) {
		return Report{Problems: []Problem{{ManifestName, "The folder has no manifest: the export did not complete, or this is not its folder."}}}, nil
	}
	if err != nil {
		return Report{}, err
	}
	m, err := ParseManifest(raw)
	if err != nil {
		return Report{Problems: []Problem{{ManifestName, fault.Message(err) + "."}}}, nil
	}
	v := verification{report: Report{Manifest: m}}
	v.totals()
	if digests != nil {
		v.against(digests)
	}
	if err := v.folder(ctx, src); err != nil {
		return v.report, err
	}
	if err := v.files(ctx, src, progress); err != nil {
		return v.report, err
	}
	return v.report, nil
}

func readAll(ctx context.Context, src Source, name string) ([]byte, error) {
	r, err := src.Open(ctx, name)
	if err != nil {
		return nil, err
	}
	b, err := io.ReadAll(r)
	return b, errors.Join(err, r.Close())
}

type verification struct {
	report Report
	wrong  []string // files of which something wrong is known already
}

func (v *verification) problem(name, format string, args ...any) {
	v.report.Problems = append(v.report.Problems, Problem{name, fmt.Sprintf(format, args...)})
	v.wrong = append(v.wrong, name)
}

// totals checks that the manifest agrees with itself.
func (v *verification) totals() {
	m := v.report.Manifest
	sum := newManifest(m.JobID, Job{}, m.Output)
	if sum.Count != m.Count || sum.Bytes != m.Bytes || !slices.Equal(sum.Types, m.Types) {
		v.problem(ManifestName, "The manifest's totals are not the sums of its files.")
	}
}

// against compares the manifest with what the store says.
func (v *verification) against(digests []File) {
	byName := func(a, b File) int { return strings.Compare(a.Name, b.Name) }
	want, have := slices.SortedFunc(slices.Values(digests), byName), slices.SortedFunc(slices.Values(v.report.Manifest.Output), byName)
	for len(want) > 0 || len(have) > 0 {
		switch {
		case len(want) == 0 || len(have) > 0 && have[0].Name < want[0].Name:
			v.problem(have[0].Name, "The manifest names this file; the store, as of its transaction, has no such file.")
			have = have[1:]
		case len(have) == 0 || want[0].Name < have[0].Name:
			v.problem(want[0].Name, "The store, as of the export's transaction, makes this file; the manifest lacks it.")
			want = want[1:]
		default:
			if want[0] != have[0] {
				v.problem(have[0].Name, "The manifest says %s; the store, as of the export's transaction, says %s.", have[0].describe(), want[0].describe())
			}
			want, have = want[1:], have[1:]
		}
	}
}

func (f File) describe() string {
	return fmt.Sprintf("%d resources, %d bytes, SHA-256 %s", f.Count, f.Bytes, f.SHA256)
}

// folder looks for files that the manifest does not name.
func (v *verification) folder(ctx context.Context, src Source) error {
	known := map[string]bool{ManifestName: true}
	for _, f := range v.report.Manifest.Output {
		known[f.Name] = true
	}
	for name, err := range src.Names(ctx) {
		if err != nil {
			return err
		}
		if !known[name] {
			v.problem(name, "The folder holds this file; the manifest does not name it.")
		}
	}
	return nil
}

func (v *verification) files(ctx context.Context, src Source, progress func(int)) error {
	done, seen, kind := 0, map[string]bool{}, ""
	for _, f := range v.report.Manifest.Output {
		if f.Type != kind {
			kind = f.Type
			clear(seen) // ids are unique within a type
		}
		r, err := src.Open(ctx, f.Name)
		if fault.Is(err, fault.NotFound) {
			v.problem(f.Name, "The manifest names this file; the folder does not hold it.")
			continue
		}
		if err != nil {
			return err
		}
		got, err := v.file(f, r, seen)
		if err = errors.Join(err, r.Close()); err != nil {
			return err
		}
		if got != f {
			v.problem(f.Name, "The file has %s; the manifest says %s.", got.describe(), f.describe())
		}
		if !slices.Contains(v.wrong, f.Name) {
			v.report.Verified += f.Count
		}
		if done += f.Count; progress != nil {
			progress(done)
		}
	}
	return nil
}

// file reads one file and says what it is; lines that are no resource of its type, or a second of one id, are problems.
func (v *verification) file(f File, r io.Reader, seen map[string]bool) (File, error) {
	got := File{Type: f.Type, Name: f.Name}
	sum := sha256.New()
	in := bufio.NewReaderSize(r, 1<<20)
	parser := fhir.NewParser(fhir.Limits{MaxBytes: 1 << 30})
	var line []byte
	for {
		chunk, err := in.ReadSlice('\n')
		sum.Write(chunk)
		got.Bytes += int64(len(chunk))
		line = append(line, chunk...)
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		if err != nil && err != io.EOF {
			return got, err
		}
		if len(line) > 0 {
			got.Count++
			v.line(f, got.Count, parser, line, seen)
			if line[len(line)-1] != '\n' {
				v.problem(f.Name, "The last line does not end in a newline.")
			}
		}
		line = line[:0]
		if err == io.EOF {
			got.SHA256 = fmt.Sprintf("%x", sum.Sum(nil))
			return got, nil
		}
	}
}

func (v *verification) line(f File, n int, parser *fhir.Parser, line []byte, seen map[string]bool) {
	res, err := parser.Parse(line)
	switch {
	case err != nil:
		v.problem(f.Name, "Line %d is no FHIR resource: %s.", n, fault.Message(err))
	case res.Type() != f.Type:
		v.problem(f.Name, "Line %d is a %s.", n, res.Type())
	case seen[res.ID()]:
		v.problem(f.Name, "Line %d is a second %s/%s.", n, res.Type(), res.ID())
	default:
		seen[res.ID()] = true
	}
}
