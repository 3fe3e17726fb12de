package crash_test

import (
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/healthlake/types"
)

// cancelRound cancels an export and kills the server about then. A cancel that was accepted decides, whatever the server
// had come to when it died; one without an answer may have been accepted or not.
func (s *stage) cancelRound(total tally) {
	of := []what{wholeStore, kept, organized, keptBlocks}[s.random.IntN(4)]
	kind := "cancelled " + string(of)
	k := s.choose(map[string]int{"system.before": 12, "system.after": 12, "put.before": 4, "put.after": 4}, 100*time.Millisecond)
	job := s.start(s.place, s.journal, of)
	if k.point != "" {
		s.crashAt(k.point, k.n)
	}
	time.Sleep(time.Duration(s.random.Int64N(int64(60 * time.Millisecond))))
	answer, lostAnswer := s.live.send(http.MethodDelete, "export/"+job, "")
	accepted := lostAnswer == nil && answer.Status == http.StatusAccepted
	ended := func() bool {
		d, err := s.describeExport(job)
		return err == nil && terminal(d.JobStatus) && d.JobStatus != types.JobStatusCancelSubmitted && d.JobStatus != types.JobStatusCancelInProgress
	}
	s.survive(total, kind, k, job, ended)
	d, err := s.describeExport(job)
	must(s.T, err)
	completed := d.JobStatus == types.JobStatusCompleted
	discarded := completed && of.isKept() // a DELETE behind the end gives up the files
	if accepted && d.JobStatus != types.JobStatusCancelCompleted && !discarded || d.JobStatus != types.JobStatusCancelCompleted && !completed {
		s.Errorf("%s, killed at %s: the cancel was accepted: %v, and the export is %s", kind, k, accepted, d.JobStatus)
	}
	when := kind + " that was not cancelled"
	switch {
	case of.isKept():
		a, gone := s.live.send(http.MethodGet, "export/"+job, "")
		must(s.T, gone)
		switch {
		case a.Status == http.StatusOK && completed && !accepted:
			s.proveKept(s.place, job, when)
		case a.Status != http.StatusNotFound || completed && !accepted && lostAnswer == nil:
			s.Errorf("%s, killed at %s: the cancel was accepted: %v, and its status is %d: %s", kind, k, accepted, a.Status, a.Body)
		}
	case completed && of == wholeStore:
		s.prove(s.place, s.journal, job, when)
	case completed:
		s.prove(s.place, nil, job, when)
	}
}

// cancelImportRound cancels an import and kills the server about then. What its logs say that it stored is in the data
// store as it was sent, and nothing else of it is: an export proves both.
func (s *stage) cancelImportRound(total tally) {
	const kind = "cancelled import"
	k := s.choose(map[string]int{"system.before": 10, "system.after": 10, "put.before": 4, "put.after": 4, "data.before": 100, "data.after": 100}, 300*time.Millisecond)
	sent := time.Now()
	job, all := s.importStart(s.rounds)
	if k.point != "" {
		s.crashAt(k.point, k.n)
	}
	time.Sleep(time.Duration(s.random.Int64N(int64(400 * time.Millisecond))))
	a, err := s.live.send(http.MethodDelete, "import/"+job, "")
	accepted := err == nil && a.Status == http.StatusAccepted
	var j *types.ImportJobProperties
	ended := func() bool {
		var err error
		j, err = s.describeImport(job)
		return err == nil && terminal(j.JobStatus) && j.JobStatus != types.JobStatusCancelSubmitted && j.JobStatus != types.JobStatusCancelInProgress
	}
	s.survive(total, kind, k, job, ended)
	when := kind + ", killed at " + k.String()
	if accepted && j.JobStatus != types.JobStatusCancelCompleted || j.JobStatus != types.JobStatusCancelCompleted && j.JobStatus != types.JobStatusCompletedWithErrors {
		s.Errorf("%s: the cancel was accepted: %v, and the import is %s: %s", when, accepted, j.JobStatus, message(j))
	}
	logs := s.logs(j)
	stored := s.stored(logs, importName(s.rounds), all, when)
	if n := *j.JobProgressReport.TotalNumberOfResourcesImported; int64(len(stored)) != n || j.JobStatus == types.JobStatusCompletedWithErrors && len(stored) != len(all) {
		s.Errorf("%s: %s, and of %d resources %d stand in its logs; its report says %d", when, j.JobStatus, len(all), len(stored), n)
	}
	s.journal.append(imported(stored, sent, time.Now())...)
	s.prove(s.place, s.journal, s.start(s.place, s.journal, wholeStore), "behind a "+when)
}

// survive lets the server die while a job is being cancelled, starts it again, and waits until the job has ended.
func (s *stage) survive(total tally, kind string, k killing, job string, ended func() bool) {
	if s.await(k, ended) {
		s.burial(total, kind, k, job)
	} else {
		total[uncounted+kind+" that ended before "+k.String()]++
	}
	for end := time.Now().Add(time.Minute); !ended(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(end) {
			s.Fatalf("%s, killed at %s: it does not end", kind, k)
		}
	}
}
