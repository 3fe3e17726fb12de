package bulk_test

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/healthlake"
	"github.com/aws/aws-sdk-go-v2/service/healthlake/types"

	"tarn/test/server"
)

const (
	largeBytes = 4_000_000 // of one resource
	overIdle   = 256 << 20 // most memory of a job over that of an idle server
)

// TestMemory_isBoundedWhateverTheSizeOfResources imports and exports resources of 4 MB each and looks at the resident
// set of the server's process at its highest: what a job holds must not grow with what it moves. 80 of them are more
// than the bound if all are held; TARN_TEST_LARGE names another number (`make memory`: 2,000, which takes 25 GB of disk).
func TestMemory_isBoundedWhateverTheSizeOfResources(t *testing.T) {
	for _, one := range []struct{ name, line, ask string }{
		{"Binary", `{"resourceType":"Binary","id":"large-%d","contentType":"application/pdf","data":"%s"}`, "$export"},
		{"documents of three patients", `{"resourceType":"DocumentReference","id":"large-%d","status":"current","content":[{"attachment":{"contentType":"application/pdf","data":"%s"}}],"subject":{"reference":"Patient/p%d"}}`,
			"Patient/$export?organizeOutputBy=Patient"},
	} {
		t.Run(one.name, func(t *testing.T) { isBounded(t, one.line, one.ask) })
	}
}

func isBounded(t *testing.T, format, ask string) {
	t.Helper()
	if _, err := os.Stat("/proc/self/clear_refs"); err != nil {
		t.Skip("there is no /proc here that tells the memory of a process: left out")
	}
	if os.Getenv(server.Race) != "" {
		t.Skip("left out: the race detector takes much memory itself")
	}
	n, err := strconv.Atoi(os.Getenv("TARN_TEST_LARGE"))
	if err != nil {
		n = 80
	}
	srv := server.Start(t)
	c := srv.As(srv.Root(t))
	s := &stage{t, c, c.Build(t, "large")}
	const perFile = 10
	random := rand.NewChaCha8([32]byte{1})
	var line, file bytes.Buffer
	for i := range n {
		raw := make([]byte, (largeBytes-100)/4*3) // cannot be packed smaller
		_, _ = random.Read(raw)
		line.Reset()
		values := []any{i, base64.StdEncoding.EncodeToString(raw), i % 3}
		fmt.Fprintf(&line, format+"\n", values[:strings.Count(format, "%")]...)
		file.Write(line.Bytes())
		if (i+1)%perFile == 0 || i == n-1 {
			c.Put(t, s.place.Bucket, fmt.Sprintf("in/%05d.ndjson", i), file.Bytes())
			file.Reset()
		}
	}
	srv.Terminate(t) // what the way into the bucket took is none of the job's
	srv.Restart(t)

	idle := settled(t, srv)
	took := time.Now()
	importAll(s, n)
	report := func(what string, peak int64) {
		t.Logf("%s of %d resources of %d bytes: %d MiB over %d MiB idle, in %v", what, n, largeBytes, (peak-idle)>>20, idle>>20, time.Since(took).Round(time.Second))
		if peak-idle > overIdle {
			t.Errorf("the %s takes %d MiB over idle; the most is %d", what, (peak-idle)>>20, overIdle>>20)
		}
	}
	report("import", memoryOf(t, srv, "VmHWM"))
	srv.Terminate(t)
	srv.Restart(t)

	idle = settled(t, srv)
	took = time.Now()
	location := s.kick("GET", ask, "")
	for ended := false; !ended; time.Sleep(500 * time.Millisecond) {
		a := s.send("GET", location, nil, "")
		if ended = a.status == http.StatusOK; !ended && a.status != http.StatusAccepted {
			t.Fatalf("the export: %d %s", a.status, a.body)
		}
	}
	report("export", memoryOf(t, srv, "VmHWM"))
	total := 0
	m := s.await(location)
	for _, f := range m.Output {
		total += f.Count
	}
	if m.OutputOrganizedBy != "" {
		if total -= len(m.Output); len(m.Output) < n/20 { // a block is larger than a file, and a header begins each
			t.Errorf("%d files", len(m.Output))
		}
	}
	if total != n {
		t.Errorf("%d of %d resources are exported", total, n)
	}
}

// importAll imports what is below in/, and waits as long as it takes.
func importAll(s *stage, n int) {
	s.Helper()
	from, to := "s3://"+s.place.Bucket+"/in/", "s3://"+s.place.Bucket+"/logs"
	started, err := s.clients.HealthLake.StartFHIRImportJob(s.Context(), &healthlake.StartFHIRImportJobInput{DatastoreId: &s.place.Datastore, DataAccessRoleArn: &s.place.Role,
		InputDataConfig:     &types.InputDataConfigMemberS3Uri{Value: from},
		JobOutputDataConfig: &types.OutputDataConfigMemberS3Configuration{Value: types.S3Configuration{S3Uri: &to, KmsKeyId: &s.place.Key}}})
	if err != nil {
		s.Fatal(err)
	}
	for {
		out, err := s.clients.HealthLake.DescribeFHIRImportJob(s.Context(), &healthlake.DescribeFHIRImportJobInput{DatastoreId: &s.place.Datastore, JobId: started.JobId})
		if err != nil {
			s.Fatal(err)
		}
		switch j := out.ImportJobProperties; j.JobStatus {
		case types.JobStatusSubmitted, types.JobStatusQueued, types.JobStatusInProgress:
			time.Sleep(50 * time.Millisecond)
			continue
		case types.JobStatusCompleted:
			if got := *j.JobProgressReport.TotalNumberOfResourcesImported; got != int64(n) {
				s.Fatalf("%d of %d resources are imported", got, n)
			}
			return
		default:
			s.Fatalf("the import is %s", j.JobStatus)
		}
	}
}

// settled is the resident set of a server that has just started, and begins a new highest one.
func settled(t *testing.T, srv *server.Server) int64 {
	t.Helper()
	idle := memoryOf(t, srv, "VmRSS")
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", srv.PID()), []byte("5"), 0); err != nil {
		t.Fatal(err)
	}
	return idle
}

// memoryOf is a figure of /proc/PID/status in bytes.
func memoryOf(t *testing.T, srv *server.Server, field string) int64 {
	t.Helper()
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", srv.PID()))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if rest, ok := strings.CutPrefix(line, field+":"); ok {
			kib, err := strconv.ParseInt(strings.Fields(rest)[0], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kib << 10
		}
	}
	t.Fatalf("/proc tells no %s", field)
	return 0
}
