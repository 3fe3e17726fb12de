// Package patch changes a resource by JSON Patch (RFC 6902) and by FHIRPath Patch (FHIR R4,
// http://hl7.org/fhir/R4/fhirpatch.html). What a patch does not touch keeps its bytes: decimals, escapes, the order of
// members.
package patch

import (
	"fmt"

	"tarn/fault"
	"tarn/fhir"
)

// MaxOperations bounds the operations of one patch.
const MaxOperations = 1000

// Limits bound a patch: the bytes and the nesting of the patch itself and of what it makes. Zero fields are the defaults
// of fhir.Limits.
type Limits = fhir.Limits

// Patch is a list of operations that was read and can be applied. It never changes and may be applied by several
// goroutines, to several resources.
type Patch struct {
	operations []operation
	limits     Limits
}

// operation is one change of a document.
type operation interface {
	apply(e *editor) error
	// about is what an error names: the word of the operation and its path.
	about() (word, path string)
}

// Len is the number of operations.
func (p *Patch) Len() int { return len(p.operations) }

// Apply is the resource, JSON as a Parser takes it, with all operations done in their order; resource itself stays as it
// is. The result is compact JSON; it is not validated. An operation that cannot be done is fault.Unprocessable, a result
// over the limits fault.TooLarge; both are *fhir.OutcomeErrors that name the operation and its path. So is a patch that
// changes id or resourceType.
func (p *Patch) Apply(resource []byte) ([]byte, error) {
	// What stands was within the limits before id, version and instant were put into it.
	doc, err := fhir.NewParser(fhir.Limits{MaxBytes: len(resource), MaxDepth: p.limits.MaxDepth}).Scan(resource)
	if err != nil {
		return nil, err
	}
	e := &editor{root: &value{node: doc.Root()}, limits: p.limits, left: mostWork}
	e.size = len(doc.Bytes())
	before := e.identity()
	for i, o := range p.operations {
		if err := o.apply(e); err != nil {
			return nil, refused(i, o, err)
		}
	}
	if e.identity() != before {
		return nil, fhir.NewOutcomeError(fault.Unprocessable, "patch.Apply", fhir.Issue{Severity: fhir.SeverityError, Code: "business-rule",
			Diagnostics: "A patch must not change resourceType or id."})
	}
	return e.root.append(make([]byte, 0, max(e.size, 0))), nil
}

// failure is why an operation cannot be done.
type failure struct {
	kind fault.Kind
	code string
	text string
}

func (f *failure) Error() string { return f.text }

// cannot is the failure of an operation that does not fit what is there.
func cannot(format string, args ...any) error {
	return &failure{fault.Unprocessable, "processing", fmt.Sprintf(format, args...)}
}

func tooMuch(format string, args ...any) error {
	return &failure{fault.TooLarge, fhir.CodeTooLong, fmt.Sprintf(format, args...)}
}

// refused tells which operation failed, at which path, and why.
func refused(index int, o operation, err error) error {
	f, ok := err.(*failure)
	if !ok {
		return err
	}
	word, path := o.about()
	return fhir.NewOutcomeError(f.kind, "patch.Apply", fhir.Issue{Severity: fhir.SeverityError, Code: f.code,
		Diagnostics: fmt.Sprintf("Operation %d (%s at %s) cannot be done: %s.", index, word, shown(path), f.text)})
}

// malformed is the error of a patch that breaks its own rules; index is below 0 where it is about the whole.
func malformed(index int, format string, args ...any) error {
	text := fmt.Sprintf(format, args...)
	if index >= 0 {
		text = fmt.Sprintf("Operation %d: %s", index, text)
	}
	return fhir.NewOutcomeError(fault.Invalid, "patch.Parse", fhir.Issue{Severity: fhir.SeverityError, Code: fhir.CodeInvalid, Diagnostics: text})
}

// shown is a path as errors repeat it: quoted, and not at length. Paths are what the client asked for, and a filter in
// them may hold any value, so that no more than the beginning is repeated.
func shown(path string) string {
	const most = 100
	r := []rune(path)
	if len(r) > most {
		return fmt.Sprintf("%q...", string(r[:most]))
	}
	return fmt.Sprintf("%q", path)
}
