package crash_test

import (
	"bytes"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tarn/kv/kvtest"
	"tarn/test/server"
)

// TestCrash_ofErasures kills a server while it erases the compartments of patients beside clients who write. After each
// restart the erasure ends; nothing tells of the patient any more, no answer and no file. A kill counts if the erasure had
// been taken and was not done, and writes were in flight.
func TestCrash_ofErasures(t *testing.T) {
	want := (kills(t) + 2) / 3
	total := tally{}
	for n := 0; total.counted() < want && !t.Failed(); n++ {
		t.Run(fmt.Sprintf("server-%d", n), func(t *testing.T) {
			s := &stage{T: t, random: rand.New(rand.NewPCG(uint64(n), uint64(time.Now().UnixNano()))), checker: filepath.Join(t.TempDir(), "checker")}
			if out, err := server.Build(s.checker, "./test/checker"); err != nil {
				t.Fatalf("the checker does not build: %v\n%s", err, out)
			}
			s.server = server.Start(t)
			s.keys = s.server.Root(t)
			s.root = s.server.As(s.keys)
			s.place = s.root.Build(t, "erasing")
			s.journal = newJournal(t, filepath.Join(t.TempDir(), "journal.ndjson"))
			s.live = newTraffic(t, s.server, s.keys, s.place, s.journal)
			for before := total.counted(); total.counted() < min(want, before+perServer) && !t.Failed(); {
				s.eraseRound(total)
			}
			s.live.stop()
			s.prove(s.place, s.journal, s.start(s.place, s.journal, wholeStore), "at the end") // all else is there
		})
	}
	t.Log(strings.Replace(total.String(), "the job was IN_PROGRESS and writes were in flight", "the erasure had been taken and was not done, and writes were in flight", 1))
}

// theirs is how many observations a patient has who is erased: more than are hidden without copies made beforehand.
const theirs = 120

// word is one that no file holds by chance, and that an engine which compresses leaves whole.
func (s *stage) word() string {
	const letters = "bcdfghjklmnpqrstvwxz"
	b := []byte("zq")
	for range 18 {
		b = append(b, letters[s.random.IntN(len(letters))])
	}
	return string(b)
}

// patient writes a patient with what is theirs, in two versions that hold a word.
func (s *stage) patient(id, word string) {
	s.Helper()
	for _, text := range []string{word, word + " again"} {
		var entries []string
		entries = append(entries, fmt.Sprintf(`{"resource":{"resourceType":"Patient","id":%q,"name":[{"family":%q}]},"request":{"method":"PUT","url":"Patient/%s"}}`, id, text, id))
		for i := range theirs {
			o := fmt.Sprintf("%s-%d", id, i)
			entries = append(entries, fmt.Sprintf(`{"resource":{"resourceType":"Observation","id":%q,"status":"final","code":{"text":%q},"subject":{"reference":"Patient/%s"}},"request":{"method":"PUT","url":"Observation/%s"}}`, o, text, id, o))
		}
		a, err := s.live.send(http.MethodPost, "", `{"resourceType":"Bundle","type":"batch","entry":[`+strings.Join(entries, ",")+`]}`)
		must(s.T, err)
		if n := bytes.Count(a.Body, []byte(`"status":"20`)); a.Status != http.StatusOK || n != len(entries) {
			s.Fatalf("%d of %d were stored: status %d: %.300s", n, len(entries), a.Status, a.Body)
		}
	}
	a, err := s.live.send(http.MethodDelete, "Observation/"+id+"-1", "")
	if must(s.T, err); a.Status >= 300 {
		s.Fatalf("DELETE: %d %s", a.Status, a.Body)
	}
}

// files are those of the data directory that hold a word.
func (s *stage) files(word string) (found []string) {
	s.Helper()
	must(s.T, filepath.WalkDir(s.server.Dir, func(path string, d fs.DirEntry, err error) error {
		if os.IsNotExist(err) {
			return nil // the engine removes files meanwhile
		}
		if err != nil || d.IsDir() {
			return err
		}
		body, err := os.ReadFile(path)
		if os.IsNotExist(err) {
			return nil
		}
		if bytes.Contains(bytes.ToLower(body), []byte(word)) {
			found = append(found, strings.TrimPrefix(path, s.server.Dir))
		}
		return err
	}))
	return found
}

// eraseRound kills the erasure of one patient, and looks for what is left.
func (s *stage) eraseRound(total tally) {
	s.Helper()
	s.rounds++
	id, word := fmt.Sprintf("p%d", s.rounds), s.word()
	s.patient(id, word)
	onDisk := !kvtest.PostgresWanted(s.T)
	if onDisk && len(s.files(word)) == 0 {
		s.Fatal("nothing is to be found before: the round would prove nothing")
	}
	k := s.choose(map[string]int{"system.before": 5, "system.after": 5, "data.before": 160, "data.after": 160}, 400*time.Millisecond)
	if k.point != "" {
		s.crashAt(k.point, k.n)
	}
	first, asked := s.erasure(id)
	done := func() bool {
		if asked != nil {
			return false // it dies
		}
		a, err := s.live.send(http.MethodGet, first, "")
		return err == nil && a.Status == http.StatusOK
	}
	if s.await(k, done) {
		s.server.Kill(s.T) // where it is not dead by itself
		s.disarm()
		log := s.server.Log()
		job := first[strings.LastIndex(first, "/")+1:]
		name := "erasure at " + k.String()
		if cut := s.inFlight(); cut == 0 || asked != nil || isErased(log, job) {
			name = uncounted + name
		}
		total[name]++
		s.server.Restart(s.T)
	} else {
		total[uncounted+"erasure that was done before "+k.String()]++
	}
	if asked != nil { // whether it was taken nobody knows
		if first, asked = s.erasure(id); asked != nil {
			s.Fatal(asked)
		}
	}
	when := fmt.Sprintf("%s, killed at %s", first, k)
	for end := time.Now().Add(2 * time.Minute); ; time.Sleep(20 * time.Millisecond) {
		a, err := s.live.send(http.MethodGet, first, "")
		if err == nil && a.Status == http.StatusOK {
			break
		}
		if err == nil && a.Status != http.StatusAccepted || time.Now().After(end) {
			s.Fatalf("%s: status %d, %v: %s", when, a.Status, err, a.Body)
		}
	}
	for _, read := range []string{"Patient/" + id, "Patient/" + id + "/_history/1", "Observation/" + id + "-0", "Observation/" + id + "-1/_history/2", fmt.Sprintf("Observation/%s-%d/_history/2", id, theirs-1)} {
		if a, err := s.live.send(http.MethodGet, read, ""); err != nil || a.Status != http.StatusGone || bytes.Contains(a.Body, []byte(word)) {
			s.Errorf("%s: GET %s: %v, %d %s", when, read, err, a.Status, a.Body)
		}
	}
	for _, search := range []string{"Observation?_summary=count&patient=" + id, "Patient?_summary=count&family=" + word} {
		if a, err := s.live.send(http.MethodGet, search, ""); err != nil || !bytes.Contains(a.Body, []byte(`"total":0`)) {
			s.Errorf("%s: GET %s: %v, %s", when, search, err, a.Body)
		}
	}
	if files := s.files(word); onDisk && len(files) > 0 {
		s.Errorf("%s: it is done, and %q hold it still", when, files)
	}
}

// isErased reports whether the log tells that an erasure is done.
func isErased(log, job string) bool {
	for line := range strings.Lines(log) {
		if strings.Contains(line, "msg=erased ") && strings.Contains(line, job) {
			return true
		}
	}
	return false
}

// erasure asks for the compartment of a patient and gives the address of its status below that of the data store.
func (s *stage) erasure(id string) (at string, err error) {
	s.Helper()
	a, err := s.live.send(http.MethodPost, "Patient/"+id+"/$erase?compartment=true", "")
	if err != nil {
		return "", err
	}
	if at = a.Header.Get("Content-Location"); a.Status != http.StatusAccepted || at == "" {
		s.Fatalf("$erase: %d %s", a.Status, a.Body)
	}
	return at[strings.Index(at, "Erasure/"):], nil
}
