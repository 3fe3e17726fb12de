package export

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"
	"strings"

	"tarn/fault"
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
// twice in a type; where output is organized by patient, no patient with two blocks and no resource twice in one. With digests (what the store says that the files must be, see Service.Digests) it proves manifest
// and files against the store too. progress is called after each file with the resources read so far; it may be nil.
// The error is about the reading; what is wrong with the export stands in the report.
//
// It reads two files at once, line by line; its memory grows with the ids of the largest type alone, 16 bytes and a
// little for each.
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
	wrong  map[string]bool // files of which something wrong is known already
}

func (v *verification) problem(name, format string, args ...any) {
	v.report.Problems = append(v.report.Problems, Problem{name, fmt.Sprintf(format, args...)})
	if v.wrong == nil {
		v.wrong = map[string]bool{}
	}
	v.wrong[name] = true
}

// totals checks that the manifest agrees with itself.
func (v *verification) totals() {
	m := v.report.Manifest
	sum := newManifest(m.JobID, Job{}, m.Output)
	if sum.Count != m.Count || sum.Bytes != m.Bytes || !slices.Equal(sum.Types, m.Types) {
		v.problem(ManifestName, "The manifest's totals are not the sums of its files.")
	}
	types := map[string]bool{}
	for _, t := range sum.Types { // neighbours of one type are one sum
		if types[t.Type] {
			v.problem(ManifestName, "The files of %s do not stand together.", t.Type)
		}
		types[t.Type] = true
	}
}

// against compares the manifest with what the store says.
func (v *verification) against(digests []File) {
	byName := func(a, b File) int { return strings.Compare(a.Name, b.Name) }
	want, have := slices.SortedFunc(slices.Values(digests), byName), slices.SortedFunc(slices.Values(v.report.Manifest.all()), byName)
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
	what := fmt.Sprintf("%d resources, %d bytes, SHA-256 %s", f.resources(), f.Bytes, f.SHA256)
	if f.Blocks > 0 {
		what = fmt.Sprintf("%d blocks of ", f.Blocks) + what
	}
	if f.Continues != "" {
		what += ", continuing in " + f.Continues
	}
	return what
}

// folder looks for files that the manifest does not name.
func (v *verification) folder(ctx context.Context, src Source) error {
	known := map[string]bool{ManifestName: true}
	for _, f := range v.report.Manifest.all() {
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
