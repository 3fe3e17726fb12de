package crash_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"tarn/test/server"
)

// Of a transaction that is carried out in the background: its entries make resources under ids of the server's, whose
// number tells how often it was carried out, and one under an id of ours, whose version tells it too.
const (
	inBackground = 24 // transactions of a round
	makes        = 60 // resources that one of them makes, besides its own
	system       = "urn:tarn:test"
)

// asked is a transaction that was sent, with the address of its status where it was accepted.
type asked struct{ name, at string }

// backgroundRound kills the server while it carries out transactions that it has accepted (Prefer: respond-async), or
// accepts them. Each accepted one is carried out once; one without an answer once or not at all.
func (s *stage) backgroundRound(total tally) {
	const kind = "transactions in the background"
	if s.behind.Endpoint == "" {
		s.behind = s.root.Create(s.T, "behind", "")
		s.root.AwaitActive(s.T, s.behind)
	}
	k := s.choose(map[string]int{"system.before": 60, "system.after": 60, "data.before": 120, "data.after": 120}, 300*time.Millisecond)
	if k.point != "" {
		s.crashAt(k.point, k.n)
	}
	var all []asked
	var sent atomic.Bool
	go func() {
		defer sent.Store(true)
		for n := range inBackground {
			a := asked{name: fmt.Sprintf("tx-%d-%d", s.rounds, n)}
			var err error
			a.at, err = s.submit(a.name)
			if all = append(all, a); err != nil {
				return // it dies
			}
		}
	}()
	done := func() bool {
		if !sent.Load() {
			return false
		}
		for _, a := range all {
			if a.at != "" && s.outcome(a, "") == nil {
				return false
			}
		}
		return true
	}
	died := s.await(k, done)
	if died {
		s.server.Kill(s.T) // where it is not dead by itself
		s.disarm()
		for !sent.Load() {
			time.Sleep(time.Millisecond)
		}
		name, log := uncounted+kind+" at "+k.String(), s.server.Log()
		cut := s.inFlight()
		for _, a := range all {
			if cut > 0 && a.at != "" && running(log, a.at[strings.LastIndex(a.at, "/")+1:]) {
				name = kind + " at " + k.String()
			}
		}
		total[name]++
		s.server.Restart(s.T)
	} else {
		total[uncounted+kind+" that ended before "+k.String()]++
	}
	when := kind + " killed at " + k.String()
	for i, a := range all {
		if a.at == "" {
			if !died || i != len(all)-1 {
				s.Errorf("%s: %s was not accepted", when, a.name)
			}
			continue
		}
		var answer []byte
		for end := time.Now().Add(time.Minute); answer == nil; time.Sleep(10 * time.Millisecond) {
			if answer = s.outcome(a, when); answer == nil && time.Now().After(end) {
				s.Fatalf("%s: %s was accepted and is not carried out", when, a.name)
			}
		}
		var bundle struct {
			Type  string
			Entry []struct{ Response struct{ Status string } }
		}
		must(s.T, json.Unmarshal(answer, &bundle))
		if n := strings.Count(string(answer), `"status":"201`); bundle.Type != "transaction-response" || len(bundle.Entry) != makes+1 || n != makes+1 {
			s.Errorf("%s: %s: a %s with %d entries, %d of them 201", when, a.name, bundle.Type, len(bundle.Entry), n)
		}
	}
	for _, a := range all {
		s.once(a, when)
	}
}

// submit asks for a transaction in the background. An error is a request without an answer.
func (s *stage) submit(name string) (at string, err error) {
	var entries []string
	for range makes {
		entries = append(entries, fmt.Sprintf(`{"resource":{"resourceType":"Basic","code":{"text":"x"},"identifier":[{"system":%q,"value":%q}]},"request":{"method":"POST","url":"Basic"}}`, system, name))
	}
	entries = append(entries, fmt.Sprintf(`{"resource":{"resourceType":"Basic","id":%q,"code":{"text":"x"}},"request":{"method":"PUT","url":"Basic/%[1]s"}}`, name))
	a, err := server.SignedWith(s.Context(), s.keys, http.MethodPost, s.behind.Endpoint, map[string]string{"Content-Type": "application/fhir+json", "Prefer": "respond-async"},
		[]byte(`{"resourceType":"Bundle","type":"transaction","entry":[`+strings.Join(entries, ",")+`]}`))
	if err != nil {
		return "", err
	}
	if at = a.Header.Get("Content-Location"); a.Status != http.StatusAccepted || at == "" {
		s.Errorf("%s: status %d: %s", name, a.Status, a.Body)
		return "", fmt.Errorf("status %d", a.Status)
	}
	return at, nil
}

// outcome is the answer of a transaction; nil as long as it is not carried out. Without words what is wrong passes.
func (s *stage) outcome(a asked, when string) []byte {
	got, err := server.Signed(s.Context(), s.keys, http.MethodGet, a.at, nil)
	switch {
	case err == nil && got.Status == http.StatusOK:
		return got.Body
	case when != "" && (err != nil || got.Status != http.StatusAccepted):
		s.Fatalf("%s: the status of %s: %d, %v: %s", when, a.name, got.Status, err, got.Body)
	}
	return nil
}

// once demands that a transaction was carried out once, or, if it was not accepted, not at all or once.
func (s *stage) once(a asked, when string) {
	s.Helper()
	own, err := server.Signed(s.Context(), s.keys, http.MethodGet, s.behind.Endpoint+"Basic/"+a.name, nil)
	must(s.T, err)
	found, err := server.Signed(s.Context(), s.keys, http.MethodGet, s.behind.Endpoint+"Basic?_summary=count&identifier="+system+"%7C"+a.name, nil)
	must(s.T, err)
	first := own.Status == http.StatusOK && bytes.Contains(own.Body, []byte(`"versionId":"1"`))
	whole := bytes.Contains(found.Body, fmt.Appendf(nil, `"total":%d`, makes))
	none := bytes.Contains(found.Body, []byte(`"total":0`))
	switch {
	case first && whole:
	case a.at == "" && own.Status == http.StatusNotFound && (none || whole): // it may be carried out just now
	default:
		s.Errorf("%s: %s, which was accepted: %v, was not carried out once: %d %.300s; %.300s", when, a.name, a.at != "", own.Status, own.Body, found.Body)
	}
}
