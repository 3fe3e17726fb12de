package crash_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/healthlake/types"
	"github.com/google/go-cmp/cmp"

	"tarn/test/server"
)

type s3Output = *types.OutputDataConfigMemberS3Configuration

// what is exported, how, and to where.
type what string

const (
	wholeStore what = "system export"                           // by HealthLake's action, to the caller's bucket
	changes    what = "group export since"                      // by HL7's kick-off, to the caller's bucket
	kept       what = "patient export to Tarn's bucket"         // by HL7's kick-off, to the server's own bucket
	organized  what = "patient export in blocks"                // by HL7's kick-off, to the caller's bucket
	keptBlocks what = "group export in blocks to Tarn's bucket" // by HL7's kick-off, to the server's own bucket
)

// isKept reports whether the files go to the server's own bucket.
func (w what) isKept() bool { return w == kept || w == keptBlocks }

// start starts an export; a server that has just died is an empty id.
func (s *stage) start(p server.Place, j *journal, kind what) string {
	s.Helper()
	e := entry{Op: "export", Sent: time.Now()}
	if kind == wholeStore {
		out, err := s.root.HealthLake.StartFHIRExportJob(s.Context(), p.Export(""))
		if err != nil {
			return s.refused(err)
		}
		e.ID = *out.JobId
	} else {
		method, path, body := http.MethodGet, "Patient/$export?_type=Patient,Observation,Basic", ""
		switch kind {
		case changes:
			path = "Group/g/$export?_since=" + s.since + "&includeAssociatedData=_ReferencedResources"
		case organized:
			path = "Patient/$export?organizeOutputBy=Patient"
		case keptBlocks:
			path = "Group/g/$export?organizeOutputBy=Patient&includeAssociatedData=_ReferencedResources"
		}
		if !kind.isKept() {
			method = http.MethodPost
			body = fmt.Sprintf(`{"DataAccessRoleArn":%q,"OutputDataConfig":{"S3Configuration":{"S3Uri":"s3://%s/out","KmsKeyId":%q}}}`, p.Role, p.Bucket, p.Key)
		}
		a, err := server.SignedWith(s.Context(), s.keys, method, p.Endpoint+path, map[string]string{"Content-Type": "application/fhir+json", "Prefer": "respond-async"}, []byte(body))
		if err != nil {
			return s.refused(err)
		}
		at := a.Header.Get("Content-Location")
		if a.Status != http.StatusAccepted {
			s.Fatalf("the kick-off: status %d: %s", a.Status, a.Body)
		}
		e.ID = at[strings.LastIndex(at, "/")+1:]
	}
	e.Time = time.Now()
	j.append(e)
	return e.ID
}

// refused is about a request that got no answer: only the death of the server may be the reason.
func (s *stage) refused(err error) string {
	s.Helper()
	select {
	case <-s.server.Ended():
		return ""
	case <-time.After(5 * time.Second):
		s.Fatalf("the server lives and does not answer: %v", err)
		return ""
	}
}

// prove waits for an export's end and holds it against everything that can be asked: its manifest, the digests that the
// data store computes anew, tarn verify, and, where a journal is given, that.
func (s *stage) prove(p server.Place, j *journal, job, when string) server.Manifest {
	s.Helper()
	done := s.root.AwaitExport(s.T, p, job)
	uri := *done.OutputDataConfig.(s3Output).Value.S3Uri
	m, _ := s.root.Folder(s.T, uri)
	if diff := cmp.Diff(s.digests(p, job, when).Output, m.Files()); diff != "" {
		s.Errorf("%s: not what the data store says (-store +manifest):\n%s", when, diff)
	}
	if out, stderr, code := s.server.Tarn(s.T, "verify", uri); code != 0 {
		s.Errorf("%s: tarn verify: exit %d\n%s%s", when, code, out, stderr)
	}
	if j == nil {
		return m
	}
	env := append(server.Environment(), "AWS_ACCESS_KEY_ID="+s.keys.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+s.keys.SecretAccessKey)
	out, stderr, code := server.RunWith(s.T, env, s.checker, "check", "--endpoint", s.server.URL, "--journal", j.path, "--folder", uri, "--kms-key", p.Key)
	if code != 0 || !strings.Contains(out, "; 0 problems") {
		s.Errorf("%s: the checker: exit %d\n%s%s", when, code, out, stderr)
		s.keep(j)
	}
	return m
}

// digests are what the data store says, read anew, that an export must hold.
func (s *stage) digests(p server.Place, job, when string) (m server.Manifest) {
	s.Helper()
	a, err := server.Signed(s.Context(), s.keys, http.MethodGet, p.Endpoint+"export/"+job+"/digests", nil)
	must(s.T, err)
	if err := json.Unmarshal(a.Body, &m); err != nil || a.Status != http.StatusOK {
		s.Fatalf("%s: digests: status %d, %v", when, a.Status, err)
	}
	return m
}

// proveKept is prove for an export to the server's own bucket, whose files a client fetches through the data store.
func (s *stage) proveKept(p server.Place, job, when string) server.Manifest {
	s.Helper()
	var status struct {
		Output []struct {
			Type, URL string
			Count     int

			ContinuesInFile string
		}
	}
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(30 * time.Millisecond) {
		a, err := server.Signed(s.Context(), s.keys, http.MethodGet, p.Endpoint+"export/"+job, nil)
		must(s.T, err)
		if a.Status == http.StatusOK {
			must(s.T, json.Unmarshal(a.Body, &status))
			break
		}
		if a.Status == http.StatusTooManyRequests {
			time.Sleep(time.Second) // as Retry-After has it
			continue
		}
		if a.Status != http.StatusAccepted || time.Now().After(end) {
			s.Fatalf("%s: status %d: %s", when, a.Status, a.Body)
		}
	}
	want := s.digests(p, job, when)
	m := server.Manifest{TxID: want.TxID}
	for _, f := range status.Output {
		a, err := server.Signed(s.Context(), s.keys, http.MethodGet, f.URL, nil)
		must(s.T, err)
		if a.Status != http.StatusOK {
			s.Fatalf("%s: %s: status %d: %s", when, f.URL, a.Status, a.Body)
		}
		_, name, _ := strings.Cut(f.URL, "/files/")
		_, next, _ := strings.Cut(f.ContinuesInFile, "/files/")
		m.Output = append(m.Output, server.File{Type: f.Type, Name: name, Count: f.Count, Bytes: int64(len(a.Body)), SHA256: fmt.Sprintf("%x", sha256.Sum256(a.Body)), Continues: next})
	}
	if diff := cmp.Diff(want.Output, m.Output); diff != "" {
		s.Errorf("%s: not what the data store says (-store +files):\n%s", when, diff)
	}
	return m
}

// keep copies a journal to where it outlives the test.
func (s *stage) keep(j *journal) {
	if to := os.Getenv("TARN_TEST_KEEP"); to != "" {
		b, _ := os.ReadFile(j.path)
		_ = os.WriteFile(to, b, 0o600)
	}
}

// same compares two exports of one transaction: all of it but the number in the names of the files, which is the job's.
func (s *stage) same(a, b server.Manifest, when string) {
	s.Helper()
	if a.TxID != b.TxID {
		s.Fatalf("%s: as of transactions %d and %d, and nothing was written between", when, a.TxID, b.TxID)
	}
	if diff := cmp.Diff(nameless(b), nameless(a)); diff != "" {
		s.Errorf("%s: not the bytes of the undisturbed export (-undisturbed +killed):\n%s", when, diff)
	}
}

func nameless(m server.Manifest) []server.File {
	files := m.Files()
	without := func(name string) string {
		parts := strings.Split(name, "-")
		if len(parts) == 4 {
			parts[1] = "N"
		}
		return strings.Join(parts, "-")
	}
	for i, f := range files {
		files[i].Name, files[i].Continues = without(f.Name), without(f.Continues)
	}
	return files
}
