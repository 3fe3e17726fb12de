package interaction_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/r4"
	"tarn/interaction"
	"tarn/store"
)

// entry is one Bundle.entry; fullUrl and resource may be empty, and so may what follows the url.
func entry(fullURL, resource, method, url string, more ...string) string {
	var b strings.Builder
	b.WriteByte('{')
	if fullURL != "" {
		fmt.Fprintf(&b, `"fullUrl":%q,`, fullURL)
	}
	if resource != "" {
		fmt.Fprintf(&b, `"resource":%s,`, resource)
	}
	fmt.Fprintf(&b, `"request":{"method":%q,"url":%q`, method, url)
	for i := 0; i < len(more); i += 2 {
		fmt.Fprintf(&b, `,%q:%q`, more[i], more[i+1])
	}
	b.WriteString("}}")
	return b.String()
}

func aPatient(more string) string { return `{"resourceType":"Patient"` + more + `}` }

func identified(by string) string { return fmt.Sprintf(`,"identifier":[{"value":%q}]`, by) }

func note1(reference string) string {
	return fmt.Sprintf(`{"resourceType":"Basic","code":{"text":"x"},"subject":{"reference":%q}}`, reference)
}

const (
	urnA = "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a"
	urnB = "urn:uuid:88f151c0-a954-468a-88bd-5ae15c08e059"
)

// Every reference form against criteria: what the references of a Basic become, or how the transaction fails.
func TestTransact_conditions(t *testing.T) {
	t.Parallel()
	p := func(id, by string) string {
		return entry("", aPatient(`,"id":"`+id+`"`+identified(by)), "PUT", "Patient/"+id)
	}
	before := strings.Join([]string{p("one", "k1"), p("twin1", "k2"), p("twin2", "k2"), p("gone", "k3")}, ",")
	basic := func(reference string) string { return entry("", note1(reference), "POST", "Basic") }
	for name, c := range map[string]struct {
		entries []string
		want    string // the reference, or a kind of fault
		at      string // of the entry that failed
	}{
		"conditional reference":                  {[]string{basic("Patient?identifier=k1")}, "Patient/one", ""},
		"conditional reference to none":          {[]string{basic("Patient?identifier=k9")}, "precondition", "Bundle.entry[0].resource.subject.reference"},
		"conditional reference to several":       {[]string{basic("Patient?identifier=k2")}, "precondition", "Bundle.entry[0].resource.subject.reference"},
		"conditional reference without criteria": {[]string{basic("Patient?")}, "invalid", "Bundle.entry[0].resource.subject.reference"},
		"conditional reference to what goes":     {[]string{entry("", "", "DELETE", "Patient/one"), basic("Patient?identifier=k1")}, "precondition", "Bundle.entry[1].resource.subject.reference"},
		"of twins one goes":                      {[]string{entry("", "", "DELETE", "Patient/twin1"), basic("Patient?identifier=k2")}, "Patient/twin2", ""},
		"to what is created under criteria":      {[]string{entry("", aPatient(identified("k8")), "POST", "Patient", "ifNoneExist", "identifier=k8"), basic("Patient?identifier=k8")}, "Patient/*", ""},
		"to what is created":                     {[]string{entry("", aPatient(identified("k8")), "POST", "Patient"), basic("Patient?identifier=k8")}, "Patient/*", ""},
		"to what is created twice":               {[]string{entry("", aPatient(identified("k8")), "POST", "Patient"), entry("", aPatient(identified("k8")), "POST", "Patient"), basic("Patient?identifier=k8")}, "precondition", "Bundle.entry[2].resource.subject.reference"},
		"to what is created and stands":          {[]string{entry("", aPatient(identified("k1")), "POST", "Patient"), basic("Patient?identifier=k1")}, "precondition", "Bundle.entry[1].resource.subject.reference"},
		"to what will be another":                {[]string{entry("", aPatient(`,"id":"one"`+identified("k8")), "PUT", "Patient/one"), basic("Patient?identifier=k1")}, "precondition", "Bundle.entry[1].resource.subject.reference"},
		"to what will be it":                     {[]string{entry("", aPatient(`,"id":"one"`+identified("k8")), "PUT", "Patient/one"), basic("Patient?identifier=k8")}, "Patient/one", ""},
		"conditional create that is met":         {[]string{entry(urnA, aPatient(identified("k1")), "POST", "Patient", "ifNoneExist", "identifier=k1"), basic(urnA)}, "Patient/one", ""},
		"with a version":                         {[]string{entry(urnA, aPatient(identified("k1")), "POST", "Patient", "ifNoneExist", "Patient?identifier=k1"), basic(urnA + "/_history/7")}, "Patient/one/_history/1", ""},
		"conditional create that is not met":     {[]string{entry(urnA, aPatient(identified("k7")), "POST", "Patient", "ifNoneExist", "identifier=k7"), basic(urnA)}, "Patient/*", ""},
		"conditional create met by several":      {[]string{entry(urnA, aPatient(identified("k2")), "POST", "Patient", "ifNoneExist", "identifier=k2"), basic(urnA)}, "precondition", "Bundle.entry[0]"},
		"conditional create of what goes":        {[]string{entry(urnA, aPatient(identified("k1")), "POST", "Patient", "ifNoneExist", "identifier=k1"), entry("", "", "DELETE", "Patient/one"), basic(urnA)}, "Patient/*", ""},
		"two conditional creates of one":         {[]string{entry(urnA, aPatient(identified("k7")), "POST", "Patient", "ifNoneExist", "identifier=k7"), entry(urnB, aPatient(identified("k7")), "POST", "Patient", "ifNoneExist", "identifier=k7")}, "invalid", "Bundle.entry[1]"},
		"two conditional creates that are met":   {[]string{entry(urnA, aPatient(identified("k1")), "POST", "Patient", "ifNoneExist", "identifier=k1"), entry(urnB, aPatient(identified("k1")), "POST", "Patient", "ifNoneExist", "identifier=k1"), basic(urnB)}, "Patient/one", ""},
		"criteria of another type":               {[]string{entry(urnA, aPatient(""), "POST", "Patient", "ifNoneExist", "Basic?identifier=k1")}, "invalid", "Bundle.entry[0].request.ifNoneExist"},
		"conditional update":                     {[]string{entry(urnA, aPatient(identified("k1")), "PUT", "Patient?identifier=k1"), basic(urnA + "/_history/1")}, "Patient/one/_history/2", ""},
		"conditional update of none":             {[]string{entry(urnA, aPatient(identified("k6")), "PUT", "Patient?identifier=k6"), basic(urnA + "/_history/9")}, "Patient/*/_history/1", ""},
		"conditional update under a new id":      {[]string{entry(urnA, aPatient(`,"id":"n"`+identified("k6")), "PUT", "Patient?identifier=k6"), basic(urnA)}, "Patient/n", ""},
		"conditional update under a standing id": {[]string{entry(urnA, aPatient(`,"id":"one"`+identified("k6")), "PUT", "Patient?identifier=k6"), basic(urnA)}, "invalid", "Bundle.entry[0]"},
		"conditional update under another id":    {[]string{entry(urnA, aPatient(`,"id":"n"`+identified("k1")), "PUT", "Patient?identifier=k1")}, "invalid", "Bundle.entry[0]"},
		"conditional update of several":          {[]string{entry(urnA, aPatient(""), "PUT", "Patient?identifier=k2")}, "precondition", "Bundle.entry[0]"},
		"conditional update ifMatch":             {[]string{entry(urnA, aPatient(identified("k1")), "PUT", "Patient?identifier=k1", "ifMatch", `W/"1"`), basic(urnA)}, "Patient/one", ""},
		"conditional update ifMatch of another":  {[]string{entry(urnA, aPatient(identified("k1")), "PUT", "Patient?identifier=k1", "ifMatch", `W/"2"`)}, "precondition", "Bundle.entry[0]"},
		"conditional update ifMatch of none":     {[]string{entry(urnA, aPatient(identified("k6")), "PUT", "Patient?identifier=k6", "ifMatch", `W/"1"`)}, "precondition", "Bundle.entry[0]"},
		"conditional update ifNoneMatch":         {[]string{entry(urnA, aPatient(identified("k1")), "PUT", "Patient?identifier=k1", "ifNoneMatch", "*")}, "precondition", "Bundle.entry[0]"},
		"conditional delete":                     {[]string{entry("", "", "DELETE", "Patient?identifier=k1"), basic("Patient/one")}, "Patient/one", ""},
		"conditional delete of none":             {[]string{entry("", "", "DELETE", "Patient?identifier=k9"), basic("Patient/one")}, "Patient/one", ""},
		"conditional delete of several":          {[]string{entry("", "", "DELETE", "Patient?identifier=k2")}, "precondition", "Bundle.entry[0]"},
		"conditional delete of what is written":  {[]string{entry("", aPatient(`,"id":"one"`), "PUT", "Patient/one"), entry("", "", "DELETE", "Patient?identifier=k1")}, "invalid", "Bundle.entry[1]"},
		"update by id and by criteria":           {[]string{entry("", aPatient(`,"id":"one"`), "PUT", "Patient/one"), entry("", aPatient(identified("k1")), "PUT", "Patient?identifier=k1")}, "invalid", "Bundle.entry[1]"},
		"criteria that only shape an answer":     {[]string{entry("", "", "DELETE", "Patient?_count=1")}, "invalid", "Bundle.entry[0].request.url"},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			_, err := w.transact(before)
			must(t, err)
			_, err = w.transact(entry("", "", "DELETE", "Patient/gone"))
			must(t, err)
			head, err := w.store.Head(t.Context())
			must(t, err)
			done, err := w.transact(strings.Join(c.entries, ","))
			if err != nil {
				var told *fhir.OutcomeError
				if kind := fault.KindOf(err).String(); kind != c.want || !errors.As(err, &told) || told.Issues[0].Expression[0] != c.at || told.Issues[0].Line != 1 {
					t.Errorf("%s: %v, want %s at %s", kind, err, c.want, c.at)
				}
				if now, err := w.store.Head(t.Context()); err != nil || now.Tx != head.Tx {
					t.Errorf("a transaction that failed wrote something (%v)", err)
				}
				return
			}
			last := done.Done[len(done.Done)-1]
			body := string(last.Version.Body)
			_, got, _ := strings.Cut(body, `"subject":{"reference":"`)
			got, _, _ = strings.Cut(got, `"`)
			head1, tail, star := strings.Cut(c.want, "*")
			if got != c.want && !(star && strings.HasPrefix(got, head1) && strings.HasSuffix(got, tail) && len(got) >= len(head1)+36+len(tail)) {
				t.Errorf("the reference is %q, want %q: %s", got, c.want, body)
			}
		})
	}
}

// A condition that moved while the transaction was on its way is looked at again.
func TestTransact_looksAgain(t *testing.T) {
	t.Parallel()
	w := newWorldOn(t, newEngine(t, 2)) // the other one comes while a view is held
	m := &meddler{scanner: scanner{}, between: func() {
		if _, err := w.transact(entry("", aPatient(`,"id":"rival"`+identified("k")), "PUT", "Patient/rival")); err != nil {
			t.Error(err)
		}
	}}
	w.UseMatcher(m)
	done, err := w.transact(entry(urnA, aPatient(identified("k")), "POST", "Patient", "ifNoneExist", "identifier=k") + "," + entry("", note1(urnA), "POST", "Basic"))
	must(t, err)
	if done.Done[0].Status != 200 || done.Done[0].Version.ID != "rival" || !strings.Contains(string(done.Done[1].Version.Body), `"Patient/rival"`) {
		t.Errorf("%+v %s", done.Done[0], done.Done[1].Version.Body)
	}
}

func TestTransactOnce_forgetsInTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old := []store.Rider{{Key: []byte("bundle/expiry/0000000000000001/once/x"), Value: []byte{}}, {Key: []byte("bundle/once/x"), Value: []byte(`{}`)},
		{Key: []byte("bundle/expiry/0000000000000002/async/y"), Value: []byte{}}, {Key: []byte("bundle/async/y"), Value: []byte(`{}`)},
		{Key: []byte("bundle/body/y/00"), Value: []byte(`{}`)}, {Key: []byte("bundle/result/y"), Value: []byte(`{}`)}}
	_, err := w.store.Commit(t.Context(), store.Transaction{Riders: old})
	must(t, err)
	once := func() (*interaction.Record, bool) {
		b, err := w.ReadBundle(base, []byte(`{"resourceType":"Bundle","type":"transaction","entry":[`+entry("", aPatient(""), "POST", "Patient")+`,`+entry("", "", "GET", "Patient?x=y")+`]}`))
		must(t, err)
		defer b.Close()
		rec, again, err := w.TransactOnce(t.Context(), interaction.TransactionRequest{Datastore: place, Base: base, Bundle: b, Key: "k"})
		must(t, err)
		return rec, again
	}
	first, again := once()
	if again {
		t.Error("the first is said to be a repetition")
	}
	second, again := once()
	if !again || second.Done[0].Version.ID != first.Done[0].Version.ID || second.Tx != first.Tx || second.Entries[1].Query != "x=y" {
		t.Errorf("the repetition is told %+v, the first %+v", second, first)
	}
	var left []string
	for r, err := range w.store.Riders(t.Context(), nil) {
		must(t, err)
		left = append(left, string(r.Key))
	}
	if len(left) != 2 || left[1] != "bundle/once/k" {
		t.Errorf("what is left: %v", left)
	}
}

// meddler lets something happen between the first look and the commit.
type meddler struct {
	scanner
	between func()
}

func (m *meddler) MatchAt(ctx context.Context, v *store.View, base string, typ r4.Code, criteria string, limit int) ([]store.Version, error) {
	found, err := m.scanner.MatchAt(ctx, v, base, typ, criteria, limit)
	if between := m.between; between != nil {
		m.between = nil
		between()
	}
	return found, err
}
