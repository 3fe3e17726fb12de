// Package validate holds a resource on the tape against the definitions of FHIR R4: structure, cardinality, JSON types,
// primitive formats, choices, references, required bindings and the invariants that need no terminology server.
package validate

import (
	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/invariant"
	"tarn/fhir/r4"
)

// MaxIssues is how many issues one Check gives at most; the last one then says that there are more.
const MaxIssues = 100

// Level says how much of the specification a resource must keep to be stored (HealthLake's validation levels).
type Level uint8

// The levels. The zero Level is Strict.
const (
	Strict        Level = iota // FHIR R4 and the profiles that meta.profile declares
	StructureOnly              // FHIR R4; declared profiles are passed over
	Minimal                    // whatever the store can hold; the issues are told, and none is fatal
)

var levelNames = [...]string{"strict", "structure-only", "minimal"}

// String is the level as HealthLake writes it: strict, structure-only or minimal.
func (l Level) String() string {
	if int(l) < len(levelNames) {
		return levelNames[l]
	}
	return "unknown"
}

// ParseLevel reads a level as HealthLake writes it; the empty text is Strict.
func ParseLevel(s string) (Level, bool) {
	for i, name := range levelNames {
		if s == name {
			return Level(i), true
		}
	}
	return Strict, s == ""
}

// Profiles is a set of installed profiles. It is safe for concurrent use.
type Profiles interface {
	// Check holds a resource of the document (the root, a contained one, or that of a Bundle's entry) against the profile
	// with this canonical URL (a |version may follow), and reports what is wrong with Issue.Offset in doc.Bytes() and
	// Line 0; the Validator finds line and column. known is false where there is no such profile.
	Check(doc *fhir.Doc, resource fhir.Node, url string, report func(fhir.Issue)) (known bool)
	// Extensions holds every extension in the document whose definition is installed against it, wherever it stands, and
	// reports like Check. Check leaves them to it.
	Extensions(doc *fhir.Doc, report func(fhir.Issue))
	// Explaining is the same set that reports, as information, also what no write is told of: elements that must be
	// supported and are absent, and rules that cannot be decided here. $validate uses it.
	Explaining() Profiles
}

// Options say how a Check goes about.
type Options struct {
	Level    Level
	Profiles Profiles // nil: none are installed
	Source   []byte   // the text as it was sent, for line and column; nil: doc.Bytes()
	Quiet    bool     // errors only: warnings and what is less are left out
	Against  []string // profiles to hold the resource against besides those that it declares
}

// Validator checks resources. It keeps its working memory from one to the next, so that a resource without issues costs
// no allocation. It is for one goroutine.
type Validator struct {
	plans     [r4.Count + 1]*plan
	evaluator invariant.Evaluator
	html      xhtml
	buf, key  []byte // decoded texts
	system    []byte

	doc     *fhir.Doc // of the check under way, as all that follows
	options Options
	quiet   bool
	issues  []fhir.Issue
	advised int  // issues that are no errors
	more    bool // some of them were passed over
	scope   invariant.Scope
	box     container
	insides []inside
	take    func(fhir.Issue) // reported
}

// New makes a Validator.
func New() *Validator {
	v := &Validator{plans: resourcePlans()}
	v.take = v.reported
	return v
}

// Check holds the resource against FHIR R4 and, where the level says so, against its profiles, and gives all issues in
// the order of the text, at most MaxIssues. The document must be a resource that a fhir.Parser took. Nothing is fatal
// here: see Failed. The issues belong to the caller.
func (v *Validator) Check(doc *fhir.Doc, o Options) []fhir.Issue {
	v.doc, v.options, v.quiet, v.issues = doc, o, o.Quiet, v.issues[:0]
	v.insides, v.advised, v.more = v.insides[:0], 0, false
	v.evaluator.Reset()
	v.resource(doc.Root(), false)
	if v.evaluator.Spent() {
		v.report(doc.Root(), fhir.SeverityWarning, fhir.CodeTooLong, "the resource is too large for all of its invariants to be evaluated")
	}
	v.against(doc.Root())
	if o.Level == Strict && o.Profiles != nil && !v.full() {
		o.Profiles.Extensions(doc, v.take)
	}
	if o.Source == nil {
		o.Source = doc.Bytes()
	}
	issues := v.finish(o.Source)
	clear(v.issues)
	v.doc, v.options, v.scope, v.box = nil, Options{}, invariant.Scope{}, container{}
	return issues
}

// Failed reports whether one of the issues is an error.
func Failed(issues []fhir.Issue) bool {
	for i := range issues {
		if isError(&issues[i]) {
			return true
		}
	}
	return false
}

// Refusal is the error of a parser that refused a text as a resource, with all issues of the text where it is JSON: the
// parser looks only at what no resource can be without. The parser's document is another one afterwards.
func (v *Validator) Refusal(p *fhir.Parser, text []byte, err error) error {
	if !fault.Is(err, fault.Invalid) {
		return err
	}
	doc, broken := p.Scan(text)
	if broken != nil || doc.Root().Kind() != fhir.Object {
		return err
	}
	issues := v.Check(doc, Options{Level: StructureOnly, Source: text, Quiet: true})
	if !Failed(issues) {
		return err
	}
	return fhir.NewOutcomeError(fault.Invalid, "validate", issues...)
}
