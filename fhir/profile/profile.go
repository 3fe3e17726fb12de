// Package profile reads FHIR packages, compiles the profiles in them and holds resources against them: cardinality,
// fixed values and patterns, slicing, types, targets of references, bindings, lengths and ranges, and the definitions of
// extensions (FHIR R4 sections 2.24 and 5.1). It implements validate.Profiles.
package profile

import (
	"strings"

	"tarn/fhir"
	"tarn/fhir/invariant"
	"tarn/fhir/r4"
	"tarn/fhir/validate"
)

// The codes of issues that profiles lead to (http://hl7.org/fhir/issue-type).
const (
	codeRequired   = "required"
	codeBinding    = "code-invalid"
	codeExtension  = "extension"
	codeProcessing = "processing"
)

// checker is the working memory of one check.
type checker struct {
	set     *Set
	doc     *fhir.Doc
	profile *Profile
	report  func(fhir.Issue)
	counts  []int32
	text    []byte
	code    []byte
	quiet   int // above 0: only whether there are errors matters
	failed  bool
	depth   int
	reports int // how many issues were reported
	steps   int // how many items were held against elements of profiles
	judge   invariant.Evaluator
	within  fhir.Node       // the innermost resource around what is looked at
	scope   invariant.Scope // of within, once a rule asked for it
	walk    walk
}

// mostDepth bounds how deep profiles of types may lead to others.
const mostDepth = 64

// mostSteps bounds how long a check goes on: profiles that lead to profiles can make much of little.
const mostSteps = 3_000_000

// tired reports whether a check has gone on for long enough, and says so once.
func (c *checker) tired() bool {
	if c.steps++; c.steps == mostSteps {
		quiet := c.quiet
		c.quiet = 0
		c.issue(fhir.SeverityWarning, codeProcessing, c.within, "", "the profiles ask for too much: the resource was not checked to the end")
		c.quiet = quiet
	}
	return c.steps >= mostSteps
}

// mostReports bounds how many issues one check finds words for.
const mostReports = 4 * validate.MaxIssues

func (s *Set) checker(doc *fhir.Doc, report func(fhir.Issue)) *checker {
	c := s.checkers.Get().(*checker)
	c.set, c.doc, c.report = s, doc, report
	c.quiet, c.failed, c.depth, c.counts, c.reports, c.steps = 0, false, 0, c.counts[:0], 0, 0
	c.judge.Reset()
	return c
}

func (c *checker) done() {
	pool := c.set.checkers
	c.set, c.doc, c.profile, c.report = nil, nil, nil, nil
	c.within, c.scope = fhir.Node{}, invariant.Scope{}
	pool.Put(c)
}

// Check holds a resource of the document against the profile of that canonical URL and reports what is wrong, with the
// Offset in doc.Bytes() and Line 0. known is false where there is no such profile. Extensions are looked at as far as
// the profile itself speaks of them; see Extensions.
func (s *Set) Check(doc *fhir.Doc, resource fhir.Node, url string, report func(fhir.Issue)) (known bool) {
	p := s.find(url)
	if p == nil {
		return false
	}
	c := s.checker(doc, report)
	defer c.done()
	c.profile = p
	typ := resource.Member("resourceType")
	if p.Flaw != "" {
		c.issue(fhir.SeverityWarning, codeProcessing, resource, "", "the profile "+p.Name+" is installed but cannot be checked: "+p.Flaw)
		return true
	}
	if !typ.Is(p.Type) && !(p.Type == "Resource" || p.Type == "DomainResource") {
		c.issue(fhir.SeverityError, fhir.CodeInvalid, resource, "", "the profile "+p.Name+" is for "+p.Type+", the resource is of another type")
		return true
	}
	c.within = resource
	c.check(p.root, item{n: resource, typ: typeOf(resource)})
	return true
}

// Explaining is the set that also tells what Check keeps to itself, as information: see validate.Profiles.
func (s *Set) Explaining() validate.Profiles {
	if s == nil {
		return s
	}
	twin := *s
	twin.explain = true
	return &twin
}

// item is one value of an element: for a primitive the value and what stands beside it in _name, either of which may be
// absent.
type item struct {
	n, x fhir.Node
	typ  *r4.Structure
}

// where is a node of the item that exists.
func (it item) where() fhir.Node {
	if it.n.Exists() && it.n.Kind() != fhir.Null || !it.x.Exists() {
		return it.n
	}
	return it.x
}

// inside is the object that holds the item's elements.
func (it item) inside() fhir.Node {
	if it.n.Kind() == fhir.Object {
		return it.n
	}
	return it.x
}

// issue reports a finding at a node; inside is the name of an element of it that is absent, or empty.
func (c *checker) issue(severity, code string, at fhir.Node, inside, sentence string) {
	if c.quiet > 0 {
		c.failed = c.failed || severity == fhir.SeverityError
		return
	}
	if severity == fhir.SeverityInformation && !c.set.explain {
		return
	}
	if c.reports++; c.reports > mostReports {
		return // whoever asked has more than can be told
	}
	if !at.Exists() {
		at = c.doc.Root()
	}
	path := c.doc.Path(at)
	if inside != "" {
		path += "." + strings.TrimSuffix(inside, "[x]")
	}
	c.report(fhir.Issue{Severity: severity, Code: code, Details: sentence, Expression: []string{path}, Offset: at.Offset()})
}

// silent reports whether a finding of this severity would be of no use, so that its words need not be made.
func (c *checker) silent(severity string) bool {
	if c.quiet > 0 {
		c.failed = c.failed || severity == fhir.SeverityError
		return true
	}
	return severity == fhir.SeverityInformation && !c.set.explain
}

// fail reports an error about an element of the profile.
func (c *checker) fail(code string, at fhir.Node, inside string, n *node, words ...string) {
	if !c.silent(fhir.SeverityError) {
		c.issue(fhir.SeverityError, code, at, inside, c.say(n, words))
	}
}

func (c *checker) warn(code string, at fhir.Node, n *node, words ...string) {
	if !c.silent(fhir.SeverityWarning) {
		c.issue(fhir.SeverityWarning, code, at, "", c.say(n, words))
	}
}

func (c *checker) tell(at fhir.Node, inside string, n *node, words ...string) {
	if !c.silent(fhir.SeverityInformation) {
		c.issue(fhir.SeverityInformation, fhir.CodeInformational, at, inside, c.say(n, words))
	}
}

// say is a sentence about an element of the profile.
func (c *checker) say(n *node, words []string) string {
	return c.profile.Name + ", " + n.label + ": " + strings.Join(words, "")
}
