package access

import (
	"context"
	"time"
)

// Directory knows who there is: it answers from users, access keys, roles and sessions. It is safe for concurrent use,
// and quick: every request asks it twice.
type Directory interface {
	// Credential finds an access key, long-term or of a session; fault.NotFound where there is none.
	Credential(ctx context.Context, accessKeyID string) (Credential, error)
	// Grant is what the principal's own policies give, compiled; the implementer keeps it cached. Of a principal that
	// has none (Root, Service, Anonymous) it is empty; of one that is no more, fault.NotFound.
	Grant(ctx context.Context, p Principal) (Grant, error)
	// Role finds a role by its ARN with its compiled trust policy; fault.NotFound where there is none.
	Role(ctx context.Context, arn string) (Role, error)
}

// Credential is one access key.
type Credential struct {
	Secret string // never logged, never printed
	// SessionToken must come with each request that a session's key signs; empty for a long-term key.
	SessionToken string
	Principal    Principal
	Expires      time.Time // from then on it is no good; zero means never
	Active       bool
}

// Expired reports whether the credential is no longer good at that time.
func (c *Credential) Expired(now time.Time) bool {
	return !c.Expires.IsZero() && !now.Before(c.Expires)
}

// Role is what can be assumed.
type Role struct {
	ARN        string
	Name       string // without its path
	ID         string // AROA...
	Account    string
	Trust      Policy // who may assume it
	MaxSession time.Duration
	Tags       map[string]string
}

// Policy is a compiled policy document. It is safe for concurrent use and never changes.
type Policy interface {
	// Evaluate says what the policy, alone, has to say: an Allow, an ExplicitDeny, or nothing (ImplicitDeny).
	// It changes nothing in the request.
	Evaluate(r *Request) Decision
}

// Grant is what a principal's own policies give.
type Grant struct {
	Identity []Policy // attached to it or inline; together they allow what any of them allows
	Boundary Policy   // the permissions boundary: what it does not allow, Identity cannot give; nil where there is none
	Session  []Policy // session policies: what none of them allows, Identity cannot give; nil where there are none
}
