package crash_test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"tarn/test/server"
)

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// stage is a server with two data stores under load: jobs run in the first; clients write to both.
type stage struct {
	*testing.T
	server  *server.Server
	root    *server.Clients
	keys    aws.Credentials
	place   server.Place
	other   server.Place
	journal *journal // of the first data store
	beside  *journal // of the second
	live    *traffic // on the first
	noise   *traffic // on the second; never paused
	random  *rand.Rand
	checker string
	since   string // transactionTime of an export before anything was written
	calm    map[string]string
	sample  map[string]string // what a preload brings; from the first one on
	behind  server.Place      // of transactions in the background; from the first one on
	rounds  int
}

func open(t *testing.T, seed int64) *stage {
	t.Helper()
	s := &stage{T: t, random: rand.New(rand.NewPCG(uint64(seed), uint64(time.Now().UnixNano()))), checker: filepath.Join(t.TempDir(), "checker")}
	if out, err := server.Build(s.checker, "./test/checker"); err != nil {
		t.Fatalf("the checker does not build: %v\n%s", err, out)
	}
	s.server = server.Start(t, "--export-workers", "1")
	s.keys = s.server.Root(t)
	s.root = s.server.As(s.keys)
	s.place, s.other = s.root.Build(t, "crash"), s.root.Build(t, "beside")
	s.journal = newJournal(t, filepath.Join(t.TempDir(), "journal.ndjson"))
	s.beside = newJournal(t, filepath.Join(t.TempDir(), "beside.ndjson"))

	empty := s.root.AwaitExport(t, s.place, s.root.StartExport(t, s.place, "empty"))
	m, _ := s.root.Folder(t, *empty.OutputDataConfig.(s3Output).Value.S3Uri)
	s.since = m.TransactionTime

	base := population("base", 1)
	var members []string
	for n := range 300 {
		members = append(members, fmt.Sprintf(`{"entity":{"reference":"Patient/base-%d"}}`, n*3))
	}
	base = append(base, resource{"Group", "g", []string{`"type":"person"`, `"actual":true`, `"member":[` + strings.Join(members, ",") + `]`}})
	s.root.Put(t, s.place.Bucket, "base/all.ndjson", ndjson(base))
	sent := time.Now()
	s.root.Import(t, s.place, "base/")
	s.journal.append(imported(base, sent, time.Now())...)
	s.calm = s.logs(s.importOnce(0)) // r000: nothing disturbs it
	s.live = newTraffic(t, s.server, s.keys, s.place, s.journal)
	s.noise = newTraffic(t, s.server, s.keys, s.other, s.beside)
	return s
}

// round is one killed job.
func (s *stage) round(total tally) {
	s.rounds++
	began := time.Now()
	switch s.rounds % 11 {
	case 1:
		s.exportRound(total, wholeStore)
	case 2:
		s.importRound(total, false)
	case 3:
		s.exportRound(total, changes)
	case 4:
		s.importRound(total, true)
	case 5:
		s.backgroundRound(total)
	case 6:
		s.cancelImportRound(total)
	case 7:
		s.exportRound(total, kept)
	case 8:
		s.exportRound(total, organized)
	case 9:
		s.exportRound(total, keptBlocks)
	case 10:
		s.preloadRound(total)
	case 0:
		s.cancelRound(total)
	}
	s.Logf("round %d took %.1f s; %d kills so far", s.rounds, time.Since(began).Seconds(), total.counted())
}

// end stops the clients and proves both data stores as they are then.
func (s *stage) end() {
	s.live.stop()
	s.noise.stop()
	s.Logf("%d writes acknowledged, %d without an answer, %d reads", s.live.written.Load()+s.noise.written.Load(), s.live.lost.Load()+s.noise.lost.Load(), s.live.read.Load()+s.noise.read.Load())
	for _, one := range []struct {
		p server.Place
		j *journal
	}{{s.place, s.journal}, {s.other, s.beside}} {
		s.prove(one.p, one.j, s.start(one.p, one.j, wholeStore), "at the end")
	}
}

// crashAt makes the server die when it reaches a point for the n-th time.
func (s *stage) crashAt(point string, n int) {
	s.Helper()
	file := filepath.Join(s.server.Dir, "crash-at")
	must(s.T, os.WriteFile(file+".new", fmt.Appendf(nil, "%s %d", point, n), 0o600))
	must(s.T, os.Rename(file+".new", file))
}

func (s *stage) disarm() { _ = os.Remove(filepath.Join(s.server.Dir, "crash-at")) }

// dead reports whether the process has ended by itself.
func (s *stage) dead() bool {
	select {
	case <-s.server.Ended():
		return true
	default:
		return false
	}
}

// running reports whether a job had been claimed, and had not ended, when the log was written.
func running(log, job string) bool {
	claimed := false
	for line := range strings.Lines(log) {
		if strings.Contains(line, job) {
			claimed = claimed || strings.Contains(line, "job claimed")
			if strings.Contains(line, "job ended") {
				return false
			}
		}
	}
	return claimed
}

// lost is how many writes had no answer so far.
func (s *stage) lost() int64 { return s.live.lost.Load() + s.noise.lost.Load() }
