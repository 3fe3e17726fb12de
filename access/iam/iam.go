// Package iam compiles policy documents of AWS IAM: identity policies, session policies, trust policies of roles, and
// the policies of buckets and keys. Parse is strict and says where a document is wrong; what it returns is evaluated
// without allocation. The rules are those of "IAM JSON policy elements reference" in the IAM user guide.
package iam

import (
	"strconv"
	"unicode/utf8"

	"tarn/access"
	"tarn/fault"
)

// Kind says to what a document belongs, and so which elements it has.
type Kind uint8

// The kinds of policy.
const (
	Managed    Kind = iota // a managed policy, or a permissions boundary
	UserInline             // inline in a user
	RoleInline             // inline in a role
	Session                // handed over when a session is made
	Trust                  // who may assume a role: a Principal, no Resource, only sts: actions
	Bucket                 // of a bucket: a Principal, only s3: actions and resources
	Key                    // of a KMS key: a Principal, only kms: actions
)

// Limits of IAM, S3 and KMS. Those of IAM count characters without white space (Chars), and those for inline policies
// hold for all inline policies of a user or role together, which whoever keeps them must sum up.
const (
	MaxManaged    = 6144
	MaxUserInline = 2048
	MaxRoleInline = 10240
	MaxSession    = 2048
	MaxTrust      = 2048
	MaxBucket     = 20 << 10 // bytes, white space among them
	MaxKey        = 32 << 10 // bytes, white space among them
	maxBytes      = 128 << 10
)

var kinds = [...]struct {
	name          string
	max           int
	hasPrincipal  bool
	noResource    bool
	service       string // the only service that actions may name; empty for any
	countsBlanks  bool
	looseSid      bool
	resourceStart string
}{
	Managed:    {name: "managed policy", max: MaxManaged},
	UserInline: {name: "inline policy of a user", max: MaxUserInline},
	RoleInline: {name: "inline policy of a role", max: MaxRoleInline},
	Session:    {name: "session policy", max: MaxSession},
	Trust:      {name: "trust policy", max: MaxTrust, hasPrincipal: true, noResource: true, service: "sts"},
	Bucket: {name: "bucket policy", max: MaxBucket, hasPrincipal: true, service: "s3", countsBlanks: true, looseSid: true,
		resourceStart: "arn:aws:s3:::"},
	Key: {name: "key policy", max: MaxKey, hasPrincipal: true, service: "kms", countsBlanks: true, looseSid: true},
}

// String is the kind in words.
func (k Kind) String() string {
	if int(k) < len(kinds) {
		return kinds[k].name
	}
	return "unknown policy"
}

// Policy is a compiled document. It implements access.Policy.
type Policy struct {
	kind       Kind
	id         string
	statements []statement
}

var _ access.Policy = (*Policy)(nil)

// Parse compiles a document. A document that breaks a rule is fault.Invalid around a *Malformed that tells the place;
// one over the limit of its kind is fault.TooLarge.
func Parse(kind Kind, doc []byte) (*Policy, error) {
	if int(kind) >= len(kinds) {
		return nil, fault.Errorf(fault.Internal, "iam.Parse", "unknown kind of policy %d", kind)
	}
	rules := &kinds[kind]
	size, unit := len(doc), "bytes"
	if !rules.countsBlanks {
		size, unit = Chars(doc), "characters without white space"
	}
	if size > rules.max {
		return nil, fault.Errorf(fault.TooLarge, "iam.Parse", "the %s has %d %s, the limit is %d", rules.name, size, unit, rules.max)
	}
	if len(doc) > maxBytes {
		return nil, fault.Errorf(fault.TooLarge, "iam.Parse", "the %s has %d bytes, the limit is %d", rules.name, len(doc), maxBytes)
	}
	root, err := scan(doc)
	if err != nil {
		return nil, err
	}
	c := compiler{doc: doc, kind: kind}
	return c.policy(root)
}

// Chars is the length of a document as IAM's limits count it: in characters, without white space.
func Chars(doc []byte) int {
	n := 0
	for len(doc) > 0 {
		c, size := utf8.DecodeRune(doc)
		if c != ' ' && c != '\n' && c != '\r' && c != '\t' {
			n++
		}
		doc = doc[size:]
	}
	return n
}

// Named is the policy under a name, which Decision.By then tells.
func (p *Policy) Named(name string) *Policy {
	q := &Policy{kind: p.kind, id: p.id, statements: append([]statement(nil), p.statements...)}
	for i := range q.statements {
		q.statements[i].by = "policy " + name + ", " + q.statements[i].by
	}
	return q
}

// Kind is the kind that it was parsed as.
func (p *Policy) Kind() Kind { return p.kind }

// ID is the document's Id, or empty.
func (p *Policy) ID() string { return p.id }

// Evaluate says what this policy, alone, has to say about r: the first statement that denies, else the one that allows
// with the farthest reach, else nothing. Session and identity policies have no reach.
func (p *Policy) Evaluate(r *access.Request) access.Decision {
	var d access.Decision
	for i := range p.statements {
		s := &p.statements[i]
		// An allow that adds nothing need not be looked at.
		if !s.deny && d.Effect == access.Allow && (s.who == nil || d.Reach == access.ReachSelf) {
			continue
		}
		reach, ok := s.matches(r)
		switch {
		case !ok:
		case s.deny:
			return access.Decision{Effect: access.ExplicitDeny, By: s.by}
		case d.Effect != access.Allow || reach > d.Reach:
			d = access.Decision{Effect: access.Allow, By: s.by, Reach: reach}
		}
	}
	return d
}

// statement is one compiled statement.
type statement struct {
	by          string // how it is called in explanations
	deny        bool
	notAction   bool
	notResource bool
	actions     []pattern
	resources   []pattern // nil in a trust policy
	who         *principals
	conditions  []condition
}

// matches reports whether all elements of s fit r, and how directly it names the principal.
func (s *statement) matches(r *access.Request) (access.Reach, bool) {
	if matchAny(s.actions, r.Action, r) == s.notAction {
		return 0, false
	}
	if s.resources != nil && matchAny(s.resources, r.Resource, r) == s.notResource {
		return 0, false
	}
	if s.notResource && !s.deny && !resolveAll(s.resources, r) {
		return 0, false // a variable without a value must not turn "all but mine" into "all"
	}
	reach := access.ReachNone
	if s.who != nil {
		var ok bool
		if reach, ok = s.who.match(&r.Principal); !ok {
			return 0, false
		}
	}
	for i := range s.conditions {
		if !s.conditions[i].holds(r) {
			return 0, false
		}
	}
	return reach, true
}

func matchAny(patterns []pattern, s string, r *access.Request) bool {
	for i := range patterns {
		if patterns[i].match(s, r) {
			return true
		}
	}
	return false
}

func resolveAll(patterns []pattern, r *access.Request) bool {
	for i := range patterns {
		if p := &patterns[i]; p.shape == dynamic {
			if _, ok := p.expand(nil, r); !ok {
				return false
			}
		}
	}
	return true
}

// Malformed says where a document breaks a rule; reach it by errors.As. IAM calls it MalformedPolicyDocument, S3
// MalformedPolicy, KMS MalformedPolicyDocumentException.
type Malformed struct {
	Line, Column int    // from 1; the column counts characters
	Problem      string // what was expected, or which rule is broken
}

// Error is place and problem.
func (m *Malformed) Error() string {
	return "line " + strconv.Itoa(m.Line) + ", column " + strconv.Itoa(m.Column) + ": " + m.Problem
}

// malformed makes the error for an offset in doc.
func malformed(doc []byte, at int, problem string) error {
	m := &Malformed{Line: 1, Column: 1, Problem: problem}
	for i := 0; i < at && i < len(doc); {
		_, size := utf8.DecodeRune(doc[i:])
		if doc[i] == '\n' {
			m.Line++
			m.Column = 0
		}
		m.Column++
		i += size
	}
	return fault.Errorf(fault.Invalid, "iam.Parse", "%w", m)
}
