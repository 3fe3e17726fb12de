package access

import "tarn/fault"

// Effect is the outcome of a decision.
type Effect uint8

// The effects. The zero value denies.
const (
	ImplicitDeny Effect = iota // nothing allows it
	Allow
	ExplicitDeny // a statement denies it, whatever others allow
)

var effectNames = [...]string{"implicit deny", "allow", "explicit deny"}

// String is the effect in words.
func (e Effect) String() string {
	if int(e) < len(effectNames) {
		return effectNames[e]
	}
	return "unknown"
}

// Source says which part of the rights decided.
type Source uint8

// The sources of a decision.
const (
	FromNowhere  Source = iota // no policy was there to ask
	FromIdentity               // the principal's own policies
	FromResource               // the policy of the resource: bucket, key, or the trust policy of a role
	FromSession                // a session policy
	FromBoundary               // the permissions boundary
	FromRoot                   // the root user needs no policy
)

var sourceNames = [...]string{"", "identity-based policy", "resource-based policy", "session policy", "permissions boundary", "root user"}

// String is the source as AWS writes it in messages.
func (s Source) String() string {
	if int(s) < len(sourceNames) {
		return sourceNames[s]
	}
	return "unknown"
}

// Reach says how directly a resource's policy names the principal that it allows; what stands later is more direct.
type Reach uint8

// The reaches of a statement with a principal.
const (
	ReachNone    Reach = iota // it names nobody: identity policies
	ReachAccount              // the account (arn:aws:iam::ACCT:root), which leaves the choice to the account's own policies
	ReachRole                 // the role of the session
	ReachSelf                 // exactly this user, session or service, or everyone
)

// Decision is the answer: what, and by whom.
type Decision struct {
	Effect Effect
	Source Source // who decided; for an implicit deny, who should have allowed it and did not
	By     string // the policy and statement that decided, for explanations; empty for an implicit deny
	Reach  Reach  // of an Allow by a resource's policy
}

// Allowed reports whether the thing may be done.
func (d Decision) Allowed() bool { return d.Effect == Allow }

// Err is nil where d allows r; else a fault.Denied that says what AWS says: who may not do what to what, and why. It
// names the kind of policy that decided, never its contents.
func (d Decision) Err(op string, r *Request) error {
	if d.Allowed() {
		return nil
	}
	who := r.Principal.ARN
	if r.Principal.Kind == Anonymous {
		who = "anonymous"
	}
	resource := r.Resource
	if resource == "" {
		resource = "*"
	}
	return fault.Errorf(fault.Denied, op, "User: %s is not authorized to perform: %s on resource: %s %s",
		who, r.Action, resource, d.because(r.Action))
}

func (d Decision) because(action string) string {
	source := d.Source
	if source == FromNowhere || source == FromRoot {
		source = FromIdentity
	}
	article := "a "
	if source == FromIdentity {
		article = "an "
	}
	if d.Effect == ExplicitDeny {
		return "with an explicit deny in " + article + source.String()
	}
	return "because no " + source.String() + " allows the " + action + " action"
}
