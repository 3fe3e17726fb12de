package synth_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"testing"

	"tarn/fault"
	"tarn/synth"
)

func TestWriteDir_writesTheWholePopulation(t *testing.T) {
	t.Parallel()
	opts := synth.Options{Seed: 9, Patients: 12}
	dir := filepath.Join(t.TempDir(), "not", "yet")
	s, err := synth.WriteDir(t.Context(), dir, opts)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]byte{}
	var resources, size int64
	for r := range synth.Population(opts) {
		want[r.Type] = append(append(want[r.Type], r.JSON...), '\n')
		resources++
		size += int64(len(r.JSON)) + 1
	}
	if s.Resources != resources || s.Bytes != size || len(s.Types) != len(want) {
		t.Errorf("summary %d resources, %d bytes, %d types; want %d, %d, %d", s.Resources, s.Bytes, len(s.Types), resources, size, len(want))
	}
	for i, f := range s.Types {
		if i > 0 && s.Types[i-1].Type >= f.Type {
			t.Errorf("%s comes before %s", s.Types[i-1].Type, f.Type)
		}
		got, err := os.ReadFile(filepath.Join(dir, f.Type+".ndjson"))
		if err != nil || !bytes.Equal(got, want[f.Type]) {
			t.Errorf("%s differs: %v", f.Type, err)
		}
		if f.Bytes != int64(len(got)) || f.Resources != int64(bytes.Count(got, []byte("\n"))) || filepath.Base(f.Path) != f.Type+".ndjson" {
			t.Errorf("summary of %s: %+v", f.Type, f)
		}
	}
	if names := listing(t, dir); len(names) != len(want) {
		t.Errorf("the folder holds %v", names)
	}
}

func TestWriteDir_replacesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	mine := filepath.Join(dir, "Provenance.ndjson") // the last type to come
	if err := os.WriteFile(mine, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := synth.WriteDir(t.Context(), dir, synth.Options{Patients: 2})
	if !fault.Is(err, fault.Exists) || fault.Hint(err) == "" {
		t.Errorf("got %v", err)
	}
	if got, _ := os.ReadFile(mine); string(got) != "mine" || len(listing(t, dir)) != 1 {
		t.Errorf("the folder holds %v, the file %q", listing(t, dir), got)
	}
}

func TestWriteDir_doesNotDisturbAnotherRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	theirs := filepath.Join(dir, "Patient.ndjson.partial")
	if err := os.WriteFile(theirs, []byte("theirs"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := synth.WriteDir(t.Context(), dir, synth.Options{Patients: 2})
	if !fault.Is(err, fault.Exists) || fault.Hint(err) == "" {
		t.Errorf("got %v", err)
	}
	if got, _ := os.ReadFile(theirs); string(got) != "theirs" || len(listing(t, dir)) != 1 {
		t.Errorf("the folder holds %v, the file %q", listing(t, dir), got)
	}
}

func TestWriteDir_leavesNothingWhenGivenUp(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	dir := t.TempDir()
	_, err := synth.WriteDir(ctx, dir, synth.Options{Patients: 1})
	if err == nil || len(listing(t, dir)) != 0 {
		t.Errorf("err %v, the folder holds %v", err, listing(t, dir))
	}
}

func TestWriteDir_refuses(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := synth.WriteDir(t.Context(), file, synth.Options{Patients: 1}); !fault.Is(err, fault.Invalid) {
		t.Errorf("a file as folder: %v", err)
	}
	if _, err := synth.WriteDir(t.Context(), t.TempDir(), synth.Options{Patients: -1}); !fault.Is(err, fault.Invalid) {
		t.Errorf("bad options: %v", err)
	}
}

func listing(t *testing.T, dir string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}
