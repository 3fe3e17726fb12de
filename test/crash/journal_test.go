package crash_test

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// entry is one line of a journal as test/checker reads it.
type entry struct {
	Sent    time.Time `json:"sent"`
	Time    time.Time `json:"time"`
	Op      string    `json:"op"`
	Type    string    `json:"type,omitempty"`
	ID      string    `json:"id,omitempty"`
	Version int       `json:"version,omitempty"`
	Updated string    `json:"lastUpdated,omitempty"`
	Sum     string    `json:"sha256,omitempty"`
}

// journal is a file of what was acknowledged; safe for concurrent use.
type journal struct {
	t    *testing.T
	path string
	mu   sync.Mutex
	f    *os.File
}

func newJournal(t *testing.T, path string) *journal {
	t.Helper()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	must(t, err)
	t.Cleanup(func() { must(t, f.Close()) })
	return &journal{t: t, path: path, f: f}
}

func (j *journal) append(all ...entry) {
	var b []byte
	for _, e := range all {
		line, err := json.Marshal(e)
		if err != nil {
			j.t.Error(err)
			return
		}
		b = append(append(b, line...), '\n')
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if _, err := j.f.Write(b); err != nil {
		j.t.Error(err)
	}
}

// resource is one that we make: its type, id and other members, each in JSON without white space between tokens.
type resource struct {
	kind, id string
	members  []string
}

func (r resource) body() string {
	return fmt.Sprintf(`{"resourceType":%q,"id":%q,%s}`, r.kind, r.id, strings.Join(r.members, ","))
}

// sum is the checker's digest of it.
func (r resource) sum() string {
	text := fmt.Sprintf("%q:%q\n", "resourceType", r.kind)
	for _, m := range r.members {
		text += m + "\n"
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// imported are the entries of resources that an import has brought between two times.
func imported(all []resource, sent, done time.Time) []entry {
	var entries []entry
	for _, r := range all {
		entries = append(entries, entry{Sent: sent, Time: done, Op: "import", Type: r.kind, ID: r.id, Version: 1, Sum: r.sum()})
	}
	return entries
}

// population makes resources whose ids begin with a prefix: of Observation several files full where size is 1.
func population(prefix string, size float64) []resource {
	var all []resource
	add := func(kind string, n int, members func(i int) []string) {
		for i := range max(1, int(float64(n)*size)) {
			all = append(all, resource{kind, fmt.Sprintf("%s-%d", prefix, i), members(i)})
		}
	}
	patient := func(i int) string {
		return fmt.Sprintf(`"subject":{"reference":"Patient/%s-%d"}`, prefix, i%max(1, int(1000*size)))
	}
	add("Patient", 1000, func(i int) []string {
		return []string{`"active":true`, fmt.Sprintf(`"name":[{"family":"Family %d","given":["Given"]}]`, i), `"gender":"female"`, `"birthDate":"1980-01-31"`}
	})
	add("Organization", 100, func(i int) []string { return []string{fmt.Sprintf(`"name":"Clinic %d"`, i)} })
	add("Practitioner", 100, func(i int) []string { return []string{fmt.Sprintf(`"name":[{"family":"Doctor %d"}]`, i)} })
	add("Location", 50, func(i int) []string { return []string{fmt.Sprintf(`"name":"Ward %d"`, i)} })
	add("Basic", 5100, func(i int) []string { return []string{fmt.Sprintf(`"code":{"text":"number %d"}`, i)} })
	add("Condition", 1500, func(i int) []string { return []string{fmt.Sprintf(`"code":{"text":"condition %d"}`, i), patient(i)} })
	add("Observation", 7000, func(i int) []string {
		return []string{`"status":"final"`, fmt.Sprintf(`"code":{"text":"observation %d"}`, i), patient(i), fmt.Sprintf(`"valueString":%q`, strings.Repeat("0.047821600000000004 ", 1+i%30))}
	})
	return all
}

// ndjson is a file of one line each.
func ndjson(all []resource) []byte {
	var b []byte
	for _, r := range all {
		b = append(append(b, r.body()...), '\n')
	}
	return b
}
