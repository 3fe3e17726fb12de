// Package synth makes a synthetic population: the people, visits, measurements, prescriptions and bills of an invented
// health service as FHIR R4 resources. It is the SYNTHEA preload of a data store, the demo's data and the benchmarks'.
//
// Everything is a function of a seed: the same Options give the same bytes on every machine, in every version (a test
// holds the hash), and each patient can be made alone, so that a population can be made in parallel. Nobody in it is
// real; the codes (SNOMED CT, LOINC, RxNorm, CVX, UCUM) are, and each resource is tagged HTEST, "test health data".
package synth

import (
	"iter"
	"time"

	"tarn/fault"
)

// Options say which population to make. The zero value of Until stands for DefaultUntil.
type Options struct {
	Seed     uint64    // another seed, another population
	Patients int       // how many people; organizations and their staff grow with them
	Until    time.Time // the end of recorded history, whole seconds, year 1900 to 9999: no resource speaks of a later time
}

// DefaultUntil is the end of recorded history unless Options name another.
var DefaultUntil = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

// MaxPatients bounds Options.Patients.
const MaxPatients = 1 << 30

// Validate reports options that make no population (fault.Invalid). The generators, which return no errors, take the
// nearest valid value instead.
func (o Options) Validate() error {
	if o.Patients < 0 || o.Patients > MaxPatients {
		return fault.WithHint(fault.Errorf(fault.Invalid, "synth.Options", "a population of %d patients cannot be made", o.Patients),
			"ask for 0 to %d patients", MaxPatients)
	}
	if y := o.Until.UTC().Year(); !o.Until.IsZero() && (y < minYear || y > maxYear) {
		return fault.WithHint(fault.Errorf(fault.Invalid, "synth.Options", "recorded history cannot end in the year %d", y),
			"choose an end between the years %d and %d", minYear, maxYear)
	}
	return nil
}

// Resource is one resource of the population.
type Resource struct {
	Type string // its resourceType
	ID   string // its id, a UUID
	JSON []byte // compact, one line without its end; valid until the next resource is asked for
}

// Population yields all resources in an order in which every reference points backwards: the directory, then patient
// 0, 1, 2 ... The same Options yield the same bytes.
func Population(opts Options) iter.Seq[Resource] {
	return func(yield func(Resource) bool) {
		g := newGenerator(opts)
		g.yield = yield
		g.directory(g.patients)
		for n := 0; n < g.patients && !g.stopped; n++ {
			g.patient(n)
		}
	}
}

// Directory yields what the patients share: organizations with their locations, practitioners and roles.
func Directory(opts Options) iter.Seq[Resource] {
	return func(yield func(Resource) bool) {
		g := newGenerator(opts)
		g.yield = yield
		g.directory(g.patients)
	}
}

// Patient yields patient n (from 0) and all that is recorded about them, the Patient resource first. The bytes are
// those of Population, and do not depend on Options.Patients: a larger population contains every smaller one. An n
// outside 0 to Options.Patients-1 yields nothing.
func Patient(opts Options, n int) iter.Seq[Resource] {
	return func(yield func(Resource) bool) {
		g := newGenerator(opts)
		g.yield = yield
		if n >= 0 && n < g.patients {
			g.patient(n)
		}
	}
}

// generator makes resources one at a time in a buffer that it uses again. Its fields below the first group describe the
// patient, and the visit, at hand.
type generator struct {
	json
	draw     // the chance of the patient at hand
	ids      minter
	seed     uint64
	patients int
	until    stamp
	yield    func(Resource) bool
	stopped  bool   // the caller wants no more
	kind     string // type of the resource being written

	p    person
	v    visit
	life []event
}

func newGenerator(opts Options) *generator {
	until := opts.Until
	if until.IsZero() {
		until = DefaultUntil
	}
	lo, hi := stampOf(minYear, 1, 1), stampOf(maxYear, 12, 31)
	return &generator{
		json:     json{buf: make([]byte, 0, 64<<10)},
		seed:     opts.Seed,
		patients: min(max(opts.Patients, 0), MaxPatients),
		until:    min(max(stamp(until.Unix()), lo), hi),
	}
}

// begin starts a resource of a type under a fresh id of the patient at hand.
func (g *generator) begin(kind string) id {
	at := g.ids.next()
	g.beginAs(kind, at)
	return at
}

func (g *generator) beginAs(kind string, at id) {
	g.kind = kind
	g.buf = append(g.buf[:0], '{')
	g.code("resourceType", kind)
	g.key("id")
	g.uuid(at)
	g.open("meta")
	g.list("tag")
	g.item()
	g.coding(&testData)
	g.close()
	g.done()
	g.close()
}

// end finishes the resource and hands it out.
func (g *generator) end() {
	g.close()
	if g.stopped {
		return
	}
	at := len(`{"resourceType":"`) + len(g.kind) + len(`","id":"`)
	if !g.yield(Resource{Type: g.kind, ID: string(g.buf[at : at+36]), JSON: g.buf}) {
		g.stopped = true
	}
}

var testData = concept{"http://terminology.hl7.org/CodeSystem/v3-ActReason", "HTEST", ""} // "test health data"
