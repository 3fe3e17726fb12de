package interaction_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/validate"
	"tarn/interaction"
	"tarn/kv/kvtest"
	"tarn/kv/pebble"
	"tarn/store"
)

// guide is a package of one profile, which wants the element of a Patient, and of noise that no compression makes less.
func guide(t testing.TB, version, element string, noise int) []byte {
	t.Helper()
	var b bytes.Buffer
	zipped := gzip.NewWriter(&b)
	archive := tar.NewWriter(zipped)
	random := make([]byte, noise)
	source := rand.NewChaCha8([32]byte{})
	_, _ = source.Read(random)
	for name, text := range map[string]string{
		"package/package.json": `{"name":"test.guide","version":"` + version + `","fhirVersions":["4.0.1"]}`,
		"package/p.json": `{"resourceType":"StructureDefinition","url":"http://example.org/P","version":"` + version + `","name":"P","fhirVersion":"4.0.1","kind":"resource","type":"Patient",
			"derivation":"constraint","baseDefinition":"http://hl7.org/fhir/StructureDefinition/Patient","differential":{"element":[{"id":"Patient.` + element + `","path":"Patient.` + element + `","min":1}]}}`,
		"package/other/noise": string(random),
	} {
		must(t, archive.WriteHeader(&tar.Header{Name: name, Size: int64(len(text)), Typeflag: tar.TypeReg}))
		_, err := archive.Write([]byte(text))
		must(t, err)
	}
	must(t, archive.Close())
	must(t, zipped.Close())
	return b.Bytes()
}

// wants is the elements that the installed profiles find absent in an empty Patient.
func wants(t testing.TB, p *interaction.Packages) string {
	t.Helper()
	set, err := p.Profiles(t.Context(), place)
	must(t, err)
	if set == nil {
		return "nothing"
	}
	return wanted(set)
}

func wanted(set validate.Profiles) (elements string) {
	parser := fhir.NewParser(fhir.Limits{})
	_, _ = parser.Parse([]byte(`{"resourceType":"Patient"}`))
	if !set.Check(parser.Doc(), parser.Doc().Root(), "http://example.org/P", func(i fhir.Issue) { elements += i.Expression[0] }) {
		return "unknown"
	}
	return elements
}

// shelf is a data store on an engine that fails on demand.
type shelf struct {
	store *store.Store
	*kvtest.Faulty
}

func (s *shelf) Store(context.Context, string) (*store.Store, error) { return s.store, nil }

func newShelf(t testing.TB) *shelf {
	t.Helper()
	inner, err := pebble.InMemory(pebble.Options{})
	must(t, err)
	s := &shelf{Faulty: kvtest.NewFaulty(inner)}
	space, err := s.Open(t.Context(), "s")
	must(t, err)
	s.store, err = store.Open(t.Context(), space, store.Options{})
	must(t, err)
	t.Cleanup(func() {
		must(t, s.store.Close())
		must(t, inner.Close())
	})
	return s
}

func (s *shelf) chunks(t testing.TB) (n int) {
	t.Helper()
	for _, err := range s.store.Riders(t.Context(), []byte("profile/data/")) {
		must(t, err)
		n++
	}
	return n
}

func TestPackages_areWholeWhateverBreaksOff(t *testing.T) {
	t.Parallel()
	const large = 5 << 20 // in two commits
	for _, side := range []kvtest.Fault{kvtest.Before, kvtest.After} {
		for n := 1; ; n++ {
			s := newShelf(t)
			first := interaction.NewPackages(s)
			_, err := first.Install(t.Context(), place, bytes.NewReader(guide(t, "1.0.0", "name", large)))
			must(t, err)
			fail := s.FailBefore
			if side == kvtest.After {
				fail = s.FailAfter
			}
			fail(n)
			_, err = first.Install(t.Context(), place, bytes.NewReader(guide(t, "1.0.0", "photo", large)))
			s.Hook(nil)
			got := wants(t, interaction.NewPackages(s)) // as another node, or the next start, sees it
			switch {
			case err == nil && got != "Patient.photo", err != nil && got != "Patient.name" && got != "Patient.photo":
				t.Fatalf("write %d fails (%d): %v, and the profile wants %s", n, side, err, got)
			case err == nil && n < 3:
				t.Fatalf("write %d did not fail", n)
			}
			late := interaction.NewPackages(s)
			late.SetNow(func() time.Time { return time.Now().Add(2 * time.Hour) })
			_, again := late.Install(t.Context(), place, bytes.NewReader(guide(t, "1.0.0", "photo", large)))
			must(t, again)
			if s.chunks(t) != 6 {
				t.Errorf("write %d fails (%d): %d chunks are left", n, side, s.chunks(t))
			}
			if err == nil {
				break
			}
		}
	}
}

func TestPackages_showOnOtherNodesWithinASecond(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	now := time.Now()
	here, there := interaction.NewPackages(s), interaction.NewPackages(s)
	there.SetNow(func() time.Time { return now })
	if got := wants(t, there); got != "nothing" {
		t.Errorf("at first it wants %s", got)
	}
	for _, step := range []struct {
		do   func() error
		want string
	}{
		{func() error {
			_, err := here.Install(t.Context(), place, bytes.NewReader(guide(t, "1.0.0", "name", 0)))
			return err
		}, "Patient.name"},
		{func() error {
			_, err := here.Install(t.Context(), place, bytes.NewReader(guide(t, "1.1.0", "photo", 0)))
			return err
		}, "Patient.photo"},
		{func() error { _, err := here.Remove(t.Context(), place, "test.guide", "1.1.0"); return err }, "Patient.name"},
		{func() error { _, err := here.Remove(t.Context(), place, "test.guide", ""); return err }, "nothing"},
	} {
		before := wants(t, there)
		must(t, step.do())
		if got := wants(t, here); got != step.want {
			t.Errorf("here it wants %s, want %s", got, step.want)
		}
		if got := wants(t, there); got != before {
			t.Errorf("there it wants %s before it looked again", got)
		}
		now = now.Add(time.Second)
		if got := wants(t, there); got != step.want {
			t.Errorf("there it wants %s, want %s", got, step.want)
		}
	}
	if n := s.chunks(t); n != 0 {
		t.Errorf("%d chunks are left", n)
	}
}

func TestPackages_atOnce(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	p := interaction.NewPackages(s)
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			element := []string{"name", "photo"}[i%2]
			if _, err := p.Install(t.Context(), place, bytes.NewReader(guide(t, "1.0.0", element, 1<<20))); err != nil {
				t.Error(err)
			}
		})
		all.Go(func() {
			for range 20 {
				set, err := p.Profiles(t.Context(), place)
				if err != nil {
					t.Error(err)
				} else if set != nil && wanted(set) != "Patient.name" && wanted(set) != "Patient.photo" {
					t.Errorf("the profile wants %s", wanted(set))
				}
			}
		})
	}
	all.Wait()
	if list, err := p.List(t.Context(), place); err != nil || len(list) != 1 || s.chunks(t) != 2 {
		t.Errorf("%v, %v, %d chunks", list, err, s.chunks(t))
	}
}

func TestPackages_haveANumber(t *testing.T) {
	t.Parallel()
	s := newShelf(t)
	p := interaction.NewPackages(s)
	for i := range interaction.MaxPackages {
		_, err := p.Install(t.Context(), place, bytes.NewReader(guide(t, fmt.Sprintf("1.%d.0", i), "name", 0)))
		must(t, err)
	}
	if _, err := p.Install(t.Context(), place, bytes.NewReader(guide(t, "2.0.0", "name", 0))); !fault.Is(err, fault.Conflict) {
		t.Errorf("one more: %v", err)
	}
	if _, err := p.Install(t.Context(), place, bytes.NewReader(guide(t, "1.0.0", "photo", 0))); err != nil {
		t.Errorf("one of them again: %v", err)
	}
}
