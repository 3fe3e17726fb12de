package crash_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/healthlake"
	"github.com/aws/aws-sdk-go-v2/service/healthlake/types"
)

// killing is how a job dies: at the n-th time at a point, or, without a point, after a while.
type killing struct {
	point string
	n     int
	after time.Duration
}

func (k killing) String() string {
	if k.point == "" {
		return "a random moment"
	}
	return k.point
}

// choose takes one of the points, of which a job of ours passes so many about, or none, as often as any of them.
func (s *stage) choose(points map[string]int, longest time.Duration) killing {
	names := append(slices.Sorted(maps.Keys(points)), "")
	name := names[s.random.IntN(len(names))]
	if name == "" {
		return killing{after: time.Duration(s.random.Int64N(int64(longest)))}
	}
	return killing{point: name, n: 1 + s.random.IntN(points[name])}
}

// await waits until the server has died, or kills it when the time has come, or the job has ended first. It reports
// whether the server is dead.
func (s *stage) await(k killing, ended func() bool) bool {
	if k.point == "" {
		select {
		case <-s.server.Ended():
		case <-time.After(k.after):
		}
		return true
	}
	for {
		select {
		case <-s.server.Ended():
			return true
		case <-time.After(20 * time.Millisecond):
		}
		if ended() {
			s.disarm()
			time.Sleep(20 * time.Millisecond) // who was past it already dies now
			return s.dead()
		}
	}
}

// burial ends the dead server's data, counts the kill, and starts the server again.
func (s *stage) burial(total tally, kind string, k killing, job string) {
	s.server.Kill(s.T) // where it is not dead by itself
	s.disarm()
	name := kind + " at " + k.String()
	if cut := s.inFlight(); cut == 0 || job == "" || !running(s.server.Log(), job) {
		name = uncounted + name
	}
	total[name]++
	s.server.Restart(s.T)
}

// inFlight is how many writes of all clients were in flight when the server died.
func (s *stage) inFlight() int64 { return s.live.inFlight() + s.noise.inFlight() }

// exportRound kills an export once or twice, and compares it with one of the same transaction that waits behind it.
func (s *stage) exportRound(total tally, of what) {
	kind := string(of)
	points := map[string]int{"system.before": 45, "system.after": 45, "put.before": 18, "put.after": 18, "data.before": 300, "data.after": 300}
	if of != wholeStore {
		points = map[string]int{"system.before": 16, "system.after": 16, "put.before": 7, "put.after": 7}
	}
	k := s.choose(points, 300*time.Millisecond)
	s.live.pause() // until both are fixed to one transaction
	killed := s.start(s.place, s.journal, of)
	calm := s.start(s.place, s.journal, of)
	if k.point != "" {
		s.crashAt(k.point, k.n)
	}
	s.live.resume()
	ended := func() bool {
		d, err := s.describeExport(killed)
		return err == nil && terminal(d.JobStatus)
	}
	for n := range 2 {
		if !s.await(k, ended) {
			total[uncounted+kind+" that ended before "+k.String()]++
			break
		}
		s.burial(total, kind, k, killed)
		if n == 1 || s.random.IntN(2) == 0 {
			break
		}
		k = s.choose(map[string]int{"system.before": 12, "system.after": 12, "put.before": 5, "put.after": 5}, 150*time.Millisecond) // in what is left of it
		if k.point != "" {
			s.crashAt(k.point, k.n)
		}
	}
	when := fmt.Sprintf("%s, killed at %s", kind, k)
	if of.isKept() {
		s.same(s.proveKept(s.place, killed, when), s.proveKept(s.place, calm, kind+" behind it"), when)
		return
	}
	var j *journal // of everything that was written, so that it proves exports of everything
	if of == wholeStore {
		j = s.journal
	}
	s.same(s.prove(s.place, j, killed, when), s.prove(s.place, nil, calm, kind+" behind it"), when)
}

func (s *stage) describeExport(job string) (*types.ExportJobProperties, error) {
	d, err := s.root.HealthLake.DescribeFHIRExportJob(s.Context(), &healthlake.DescribeFHIRExportJobInput{DatastoreId: &s.place.Datastore, JobId: &job})
	if err != nil {
		return nil, err
	}
	return d.ExportJobProperties, nil
}

func terminal(s types.JobStatus) bool {
	switch s {
	case types.JobStatusSubmitted, types.JobStatusInProgress, types.JobStatusQueued:
		return false
	}
	return true
}

// importName is the prefix of ids, and the folder, of an import.
func importName(n int) string { return fmt.Sprintf("r%03d", n) }

// importStart puts the input of an import into the bucket and starts it. Some lines are bad.
func (s *stage) importStart(n int) (job string, all []resource) {
	s.Helper()
	name := importName(n)
	all = population(name, 0.5)
	kinds := map[string][]byte{}
	for i, r := range all {
		kinds[r.kind] = append(append(kinds[r.kind], r.body()...), '\n')
		switch i % 500 {
		case 17:
			kinds[r.kind] = append(kinds[r.kind], "no resource\n"...)
		case 99:
			kinds[r.kind] = append(kinds[r.kind], `{"resourceType":"Observation","id":"`+name+`-bad","code":{"text":"without a status"}}`+"\n"...)
		}
	}
	for kind, text := range kinds {
		s.root.Put(s.T, s.place.Bucket, "in/"+name+"/"+kind+".ndjson", text)
	}
	input, output := "s3://"+s.place.Bucket+"/in/"+name+"/", "s3://"+s.place.Bucket+"/import-logs"
	out, err := s.root.HealthLake.StartFHIRImportJob(s.Context(), &healthlake.StartFHIRImportJobInput{DatastoreId: &s.place.Datastore, DataAccessRoleArn: &s.place.Role,
		InputDataConfig:     &types.InputDataConfigMemberS3Uri{Value: input},
		JobOutputDataConfig: &types.OutputDataConfigMemberS3Configuration{Value: types.S3Configuration{S3Uri: &output, KmsKeyId: &s.place.Key}}})
	if err != nil {
		return s.refused(err), all
	}
	return *out.JobId, all
}

func (s *stage) describeImport(job string) (*types.ImportJobProperties, error) {
	out, err := s.root.HealthLake.DescribeFHIRImportJob(s.Context(), &healthlake.DescribeFHIRImportJobInput{DatastoreId: &s.place.Datastore, JobId: &job})
	if err != nil {
		return nil, err
	}
	return out.ImportJobProperties, nil
}

// importEnd waits for the end of an import and journals what it brought.
func (s *stage) importEnd(job string, all []resource, sent time.Time) *types.ImportJobProperties {
	s.Helper()
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		j, err := s.describeImport(job)
		must(s.T, err)
		if terminal(j.JobStatus) {
			if r := j.JobProgressReport; j.JobStatus != types.JobStatusCompletedWithErrors || *r.TotalNumberOfResourcesImported != int64(len(all)) {
				s.Fatalf("the import is %s: %s; %+v", j.JobStatus, message(j), r)
			}
			s.journal.append(imported(all, sent, time.Now())...)
			return j
		}
		if time.Now().After(end) {
			s.Fatalf("the import does not end: %s", j.JobStatus)
		}
	}
}

func message(j *types.ImportJobProperties) string {
	if j.Message == nil {
		return ""
	}
	return *j.Message
}

// importOnce is an import that nothing disturbs.
func (s *stage) importOnce(n int) *types.ImportJobProperties {
	s.Helper()
	sent := time.Now()
	job, all := s.importStart(n)
	return s.importEnd(job, all, sent)
}

// logs are the files that an import wrote, with its id, and the prefix of its round, taken out.
func (s *stage) logs(j *types.ImportJobProperties) map[string]string {
	s.Helper()
	uri := *j.JobOutputDataConfig.(s3Output).Value.S3Uri
	_, prefix, _ := strings.Cut(strings.TrimPrefix(uri, "s3://"), "/")
	input := j.InputDataConfig.(*types.InputDataConfigMemberS3Uri).Value
	name := input[strings.LastIndex(strings.TrimSuffix(input, "/"), "/")+1 : len(input)-1]
	all := map[string]string{}
	for _, o := range s.root.Objects(s.T, s.place.Bucket, prefix) {
		b, _ := s.root.Get(s.T, s.place.Bucket, *o.Key)
		all[strings.TrimPrefix(*o.Key, prefix)] = strings.NewReplacer(*j.JobId, "JOB", name, "ROUND").Replace(string(b))
	}
	return all
}

// importRound kills an import once or twice, and compares its logs with those of the undisturbed one. What it brought is
// proved by an export: each resource once, its first version, and as it was sent. Where it is alone, clients write to the
// other data store only, so that it loads sorted data past the log (store.Load), and dies in that.
func (s *stage) importRound(total tally, alone bool) {
	kind := "import"
	points := map[string]int{"system.before": 15, "system.after": 15, "put.before": 6, "put.after": 6, "data.before": 150, "data.after": 150}
	again := map[string]int{"system.before": 5, "system.after": 5, "put.before": 4, "put.after": 4, "data.before": 40, "data.after": 40}
	if alone {
		kind = "import alone in its data store"
		points = map[string]int{"system.before": 15, "system.after": 15, "put.before": 6, "put.after": 6, "load.before": 2, "load.after": 2, "load.middle": 12}
		again = map[string]int{"system.before": 5, "put.before": 4, "load.before": 1, "load.after": 1, "load.middle": 6}
		s.live.pause()
		defer s.live.resume()
		time.Sleep(quiet)
	}
	k := s.choose(points, 500*time.Millisecond)
	sent := time.Now()
	job, all := s.importStart(s.rounds)
	if k.point != "" {
		s.crashAt(k.point, k.n)
	}
	ended := func() bool {
		j, err := s.describeImport(job)
		return err == nil && terminal(j.JobStatus)
	}
	for n := range 2 {
		if !s.await(k, ended) {
			if n == 0 && strings.HasPrefix(k.point, "load.") && k.n == 1 {
				s.Errorf("%s: it has loaded nothing", kind)
			}
			total[uncounted+kind+" that ended before "+k.String()]++
			break
		}
		s.burial(total, kind, k, job)
		if n == 1 || s.random.IntN(2) == 0 {
			break
		}
		k = s.choose(again, 500*time.Millisecond)
		if k.point != "" {
			s.crashAt(k.point, k.n)
		}
	}
	when := kind + " killed at " + k.String()
	logs := s.logs(s.importEnd(job, all, sent))
	s.whole(logs, importName(s.rounds), all, when)
	for name, want := range s.calm {
		if got := logs[name]; got != want {
			s.Errorf("%s: %s is\n%s\nand the undisturbed import's\n%s", when, name, got, want)
		}
	}
	if len(logs) != len(s.calm) {
		s.Errorf("%s: %d files of logs; the undisturbed import has %d", when, len(logs), len(s.calm))
	}
	s.prove(s.place, s.journal, s.start(s.place, s.journal, wholeStore), "behind "+when)
}

// quiet is how long nobody writes to a data store before imports take themselves for alone in it.
const quiet = 1200 * time.Millisecond
