package interaction

import (
	"fmt"
	"strings"

	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/r4"
)

// MaxEntries is how many entries a batch or transaction may have (HealthLake's quota).
const MaxEntries = 500

// Bundle is a batch or a transaction as it was asked for (FHIR R4 section 3.1.0.11). It is immutable; Close gives its
// memory back, and nothing of it may be used after that.
type Bundle struct {
	Transaction bool // else a batch
	Entries     []Entry

	source []byte
	doc    *fhir.Doc
	parser *fhir.Parser
	give   func(*fhir.Parser)
}

// Entry is one Bundle.entry of a request.
type Entry struct {
	FullURL string
	Method  string // GET, HEAD, POST, PUT, PATCH or DELETE
	Path    string // of the URL, below the base and without a slash at its beginning
	Query   string // of the URL, without the question mark

	IfMatch, IfNoneMatch, IfModifiedSince, IfNoneExist string

	// Refused says what is wrong with the request, in a batch, whose other entries that does not touch.
	Refused error

	resource fhir.Node
	action   action
	typ      r4.Code // of what the entry writes
	id       string  // in the URL
}

// action is what an entry does to the resource that it names.
type action uint8

const (
	reads   action = iota // whatever writes nothing: read, search, history, an operation
	creates               // POST type
	updates               // PUT type/id, PUT type?criteria
	patches               // PATCH, likewise
	deletes               // DELETE, likewise
)

// Writes reports whether the entry is a create, update, patch or delete.
func (e *Entry) Writes() bool { return e.action != reads }

// Resource are the bytes of the entry's resource; nil where it has none. They must not be changed.
func (e *Entry) Resource() []byte {
	if !e.resource.Exists() {
		return nil
	}
	return e.resource.Raw()
}

// URL is that of the request below the base.
func (e *Entry) URL() string {
	if e.Query == "" {
		return e.Path
	}
	return e.Path + "?" + e.Query
}

// Close gives the memory back; a second Close does nothing.
func (b *Bundle) Close() {
	if b.parser != nil {
		b.give(b.parser)
		*b = Bundle{}
	}
}

// ReadBundle reads a Bundle of type batch or transaction. base is the URL of the data store with a slash at its end:
// URLs of requests may begin with it. body must stay as it is until Close. The error tells all that is wrong with the
// form of the Bundle and of its requests, with line, column and expression of each; what is within the resources is not
// looked at.
func (s *Service) ReadBundle(base string, body []byte) (*Bundle, error) {
	parser := s.bundles.Get().(*fhir.Parser)
	b := &Bundle{source: body, parser: parser, give: func(p *fhir.Parser) { s.bundles.Put(p) }}
	if err := b.read(base); err != nil {
		b.Close()
		return nil, err
	}
	return b, nil
}

func (b *Bundle) read(base string) error {
	res, err := b.parser.Borrow(b.source)
	if err != nil {
		return err
	}
	b.doc = b.parser.Doc()
	r := bundleReader{b: b, base: base}
	root := b.doc.Root()
	if res.Type() != "Bundle" {
		r.refuse(root.Member("resourceType"), fhir.CodeInvalid, "Only a Bundle can be posted to the base of a data store, not a "+res.Type()+".")
		return r.err()
	}
	kind := root.Member("type")
	switch {
	case kind.Is("transaction"):
		b.Transaction = true
	case kind.Is("batch"):
	case !kind.Exists():
		r.refuse(root, "required", "A Bundle must say its type: batch or transaction.")
	default:
		r.refuse(kind, fhir.CodeInvalid, "Only Bundles of type batch and transaction are carried out; others are stored as they are by POST to Bundle.")
	}
	entries := root.Member("entry")
	switch {
	case entries.Exists() && entries.Kind() != fhir.Array:
		r.refuse(entries, fhir.CodeStructure, "entry must be an array.")
	case entries.Count() > MaxEntries:
		r.kind = fault.TooLarge
		r.refuse(entries, fhir.CodeTooLong, fmt.Sprintf("The Bundle has %d entries; a batch or transaction has %d at most.", entries.Count(), MaxEntries))
	default:
		b.Entries = make([]Entry, 0, entries.Count())
		for n := entries.First(); n.Exists(); n = n.Next() {
			before := len(r.issues)
			e := r.entry(n)
			if issues := r.issues[before:]; len(issues) > 0 && !b.Transaction {
				e.Refused = fhir.NewOutcomeError(fault.Invalid, "interaction.ReadBundle", issues...)
				e.action, r.issues = reads, r.issues[:before:before]
			}
			b.Entries = append(b.Entries, e)
		}
	}
	return r.err()
}

// bundleReader collects what is wrong.
type bundleReader struct {
	b      *Bundle
	base   string
	kind   fault.Kind
	issues []fhir.Issue
}

const maxIssues = 100

func (r *bundleReader) refuse(n fhir.Node, code, sentence string) {
	if len(r.issues) < maxIssues {
		r.issues = append(r.issues, r.b.issueAt(n, code, sentence))
	}
}

func (r *bundleReader) err() error {
	if len(r.issues) == 0 {
		return nil
	}
	kind := r.kind
	if kind == 0 {
		kind = fault.Invalid
	}
	return fhir.NewOutcomeError(kind, "interaction.ReadBundle", r.issues...)
}

// issueAt is an issue with the place of a node.
func (b *Bundle) issueAt(n fhir.Node, code, sentence string) fhir.Issue {
	issue := fhir.Issue{Severity: fhir.SeverityError, Code: code, Diagnostics: sentence, Expression: []string{b.doc.Path(n)}}
	issue.Line, issue.Column, issue.Offset = fhir.Locate(b.source, n.Offset())
	return issue
}

func (r *bundleReader) entry(n fhir.Node) (e Entry) {
	if n.Kind() != fhir.Object {
		r.refuse(n, fhir.CodeStructure, "An entry must be an object.")
		return e
	}
	e.FullURL = r.text(n, "fullUrl")
	e.resource = n.Member("resource")
	if e.resource.Exists() && e.resource.Kind() != fhir.Object {
		r.refuse(e.resource, fhir.CodeStructure, "A resource must be an object.")
		e.resource = fhir.Node{}
	}
	request := n.Member("request")
	if request.Kind() != fhir.Object {
		r.refuse(n, "required", "An entry of a batch or transaction must have a request.")
		return e
	}
	e.Method = r.text(request, "method")
	e.IfMatch, e.IfNoneMatch = r.text(request, "ifMatch"), r.text(request, "ifNoneMatch")
	e.IfModifiedSince, e.IfNoneExist = r.text(request, "ifModifiedSince"), r.text(request, "ifNoneExist")
	url := r.text(request, "url")
	if url == "" && e.Method != "GET" && e.Method != "HEAD" || !request.Member("url").Exists() {
		r.refuse(request, "required", "A request must have a url, relative to the base.")
		return e
	}
	e.Path, e.Query, _ = strings.Cut(strings.TrimLeft(strings.TrimPrefix(url, r.base), "/"), "?")
	if strings.Contains(e.Path, "://") {
		r.refuse(request.Member("url"), fhir.CodeValue, "The url of a request is relative to the base of this data store; this one leads elsewhere.")
		return e
	}
	r.classify(&e, request)
	r.needs(&e, n)
	return e
}

// text is a member that must be a string.
func (r *bundleReader) text(of fhir.Node, name string) string {
	n := of.Member(name)
	switch {
	case !n.Exists():
		return ""
	case n.Kind() != fhir.String:
		r.refuse(n, fhir.CodeStructure, name+" must be a string.")
		return ""
	}
	text := string(n.AppendText(nil))
	if text == "" && name != "url" { // the base itself may be read by an empty url; else an empty condition would be passed over as if there were none
		r.refuse(n, fhir.CodeValue, name+" must not be empty.")
	}
	return text
}

// classify finds what the entry writes.
func (r *bundleReader) classify(e *Entry, request fhir.Node) {
	method := request.Member("method")
	first, rest, deeper := strings.Cut(e.Path, "/")
	switch e.Method {
	case "GET", "HEAD":
		return
	case "POST":
		if deeper || strings.HasPrefix(first, "$") || strings.HasPrefix(first, "_") {
			return // an operation or a search: the face knows which there are
		}
		e.action = creates
	case "PUT":
		e.action = updates
	case "PATCH":
		e.action = patches
	case "DELETE":
		e.action = deletes
	case "":
		r.refuse(request, "required", "A request must have a method.")
		return
	default:
		r.refuse(method, fhir.CodeValue, "The method must be GET, HEAD, POST, PUT, PATCH or DELETE.")
		return
	}
	url := request.Member("url")
	typ, ok := r4.CodeOf(first)
	if !ok {
		r.refuse(url, "not-supported", fmt.Sprintf("%q is no resource type of FHIR R4.", clip(first)))
		e.action = reads
		return
	}
	e.typ, e.id = typ, rest
	switch {
	case e.action == creates && e.Query != "":
		r.refuse(url, fhir.CodeValue, "A create has no parameters; criteria of a conditional create are its ifNoneExist.")
	case e.action != creates && deeper && !fhir.ValidID(rest):
		r.refuse(url, fhir.CodeValue, fmt.Sprintf("%q is no id: it has 1 to 64 characters out of A-Z, a-z, 0-9, '-' and '.'.", clip(rest)))
	case e.action != creates && !deeper && e.Query == "":
		r.refuse(url, fhir.CodeValue, "The url must have an id, or the criteria of a conditional "+conditional[e.action]+".")
	case e.action != creates && deeper && e.Query != "":
		r.refuse(url, fhir.CodeValue, "The url has both an id and criteria.")
	}
}

var conditional = [...]string{creates: "create", updates: "update", patches: "patch", deletes: "delete"}

// needs checks that the entry has what its method needs, and nothing that contradicts it.
func (r *bundleReader) needs(e *Entry, n fhir.Node) {
	request := n.Member("request")
	switch e.action {
	case creates, updates, patches:
		if !e.resource.Exists() && !n.Member("resource").Exists() {
			r.refuse(n, "required", e.Method+" needs a resource.")
		}
	}
	if e.IfNoneExist != "" && e.action != creates {
		r.refuse(request.Member("ifNoneExist"), fhir.CodeInvalid, "ifNoneExist is for a create (POST) only.")
	}
	if e.IfMatch != "" && (e.action == creates || e.action == reads) {
		r.refuse(request.Member("ifMatch"), fhir.CodeInvalid, "ifMatch is for PUT, PATCH and DELETE only.")
	}
	if e.IfModifiedSince != "" && e.action != reads {
		r.refuse(request.Member("ifModifiedSince"), fhir.CodeInvalid, "ifModifiedSince is for GET only.")
	}
	if e.IfNoneMatch != "" && (e.action == creates || e.action == patches || e.action == deletes) {
		r.refuse(request.Member("ifNoneMatch"), fhir.CodeInvalid, "ifNoneMatch is for GET and PUT only.")
	}
}
