package crash_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/healthlake"
	"github.com/aws/aws-sdk-go-v2/service/healthlake/types"

	"tarn/test/server"
)

// preloadRound kills the server while it fills a new data store with the sample population. The data store becomes ACTIVE
// behind that, and an export shows each resource of the population once, as its first version, and nothing else.
func (s *stage) preloadRound(total tally) {
	const kind = "preload"
	if s.sample == nil {
		s.sample = s.population()
	}
	k := s.choose(map[string]int{"system.before": 12, "system.after": 12, "data.before": 2000, "data.after": 2000}, 4*time.Second)
	name := fmt.Sprintf("preload-%d", s.rounds)
	p := s.root.Create(s.T, name, types.PreloadDataTypeSynthea)
	if k.point != "" {
		s.crashAt(k.point, k.n)
	}
	active := func() bool {
		d, err := s.root.HealthLake.DescribeFHIRDatastore(s.Context(), &healthlake.DescribeFHIRDatastoreInput{DatastoreId: &p.Datastore})
		return err == nil && d.DatastoreProperties.DatastoreStatus == types.DatastoreStatusActive
	}
	for n := range 2 {
		if !s.await(k, active) {
			total[uncounted+kind+" that ended before "+k.String()]++
			break
		}
		s.burial(total, kind, k, p.Datastore)
		if n == 1 || s.random.IntN(2) == 0 {
			break
		}
		k = s.choose(map[string]int{"system.before": 6, "system.after": 6, "data.before": 200, "data.after": 200}, time.Second)
		if k.point != "" {
			s.crashAt(k.point, k.n)
		}
	}
	when := kind + " killed at " + k.String()
	s.root.AwaitActive(s.T, p)
	s.root.Furnish(s.T, &p, name)
	job := s.root.StartExport(s.T, p, "all")
	s.prove(p, nil, job, "behind a "+when)
	_, files := s.root.Folder(s.T, *s.root.DescribeExport(s.T, p, job).OutputDataConfig.(s3Output).Value.S3Uri)
	left := 0
	seen := map[string]bool{}
	for file, text := range files {
		if file == "manifest.json" {
			continue
		}
		for line := range bytes.Lines(text) {
			id, version, body := s.bare(line)
			if want, ok := s.sample[id]; !ok || seen[id] || version != "1" || body != want {
				s.Errorf("%s: %s is not of the population, there twice, altered, or version %q and not the first", when, id, version)
			}
			seen[id] = true
		}
	}
	for id := range s.sample {
		if !seen[id] {
			left++
		}
	}
	if left > 0 {
		s.Errorf("%s: of %d resources of the population %d are missing", when, len(s.sample), left)
	}
}

// population is what a preload brings, by Type/id.
func (s *stage) population() map[string]string {
	s.Helper()
	dir := filepath.Join(s.TempDir(), "sample")
	if out, stderr, code := server.Tarn(s.T, "synth", "--patients", "100", "--seed", "1", "--out", dir); code != 0 {
		s.Fatalf("tarn synth: exit %d\n%s%s", code, out, stderr)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.ndjson"))
	must(s.T, err)
	all := map[string]string{}
	for _, f := range files {
		text, err := os.ReadFile(f)
		must(s.T, err)
		for line := range bytes.Lines(text) {
			id, _, body := s.bare(line)
			all[id] = body
		}
	}
	if len(all) < 10000 {
		s.Fatalf("the population has %d resources", len(all))
	}
	return all
}

// bare is a resource without what a data store stamps, and its version. Every digit counts.
func (s *stage) bare(line []byte) (id, version, body string) {
	s.Helper()
	var r map[string]any
	d := json.NewDecoder(bytes.NewReader(line))
	d.UseNumber()
	must(s.T, d.Decode(&r))
	id = fmt.Sprint(r["resourceType"], "/", r["id"])
	if meta, ok := r["meta"].(map[string]any); ok {
		version, _ = meta["versionId"].(string)
		delete(meta, "versionId")
		delete(meta, "lastUpdated")
		if len(meta) == 0 {
			delete(r, "meta")
		}
	}
	b, err := json.Marshal(r)
	must(s.T, err)
	return id, version, strings.TrimSpace(string(b))
}
