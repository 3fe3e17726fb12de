// Package access holds the words of "who may do what": principals, requests, policies, decisions, and the one question
// that services' faces ask (Decide, DecideGated). It follows the evaluation logic of AWS IAM. It is pure: no I/O, no
// clock; whoever asks brings the time along. access/iam compiles policy documents, access/sigv4 finds out who asks.
package access

import (
	"strings"
	"time"
)

// Kind says what a principal is.
type Kind uint8

// The kinds of principal. The zero value is nobody in particular, so that a forgotten principal has no rights.
const (
	Anonymous   Kind = iota // sent no credentials
	Root                    // the account itself
	User                    // a user with long-term access keys
	AssumedRole             // a session of a role
	Service                 // a service of the cloud, such as healthlake.amazonaws.com
)

var kindNames = [...]string{"Anonymous", "Account", "User", "AssumedRole", "Service"}

// String is the kind as aws:PrincipalType spells it.
func (k Kind) String() string {
	if int(k) < len(kindNames) {
		return kindNames[k]
	}
	return "Unknown"
}

// Principal is who asks. It is read-only once made, and comes from a Directory or from one of the constructors below.
type Principal struct {
	Kind    Kind
	Account string // 12 digits; empty for Anonymous and Service
	// ARN names the principal: arn:aws:iam::ACCT:root, arn:aws:iam::ACCT:user/PATH/NAME,
	// arn:aws:sts::ACCT:assumed-role/ROLE/SESSION; for a Service its name; empty for Anonymous.
	ARN string
	// UserID is aws:userid: the account for Root, AIDA... for a user, AROA...:SESSION for a session.
	UserID      string
	UserName    string            // aws:username; only for a User
	RoleARN     string            // the role of an AssumedRole, with its path
	SessionName string            // the session of an AssumedRole
	AccessKeyID string            // the credential that was used, by which a Directory finds session policies; may be empty
	Tags        map[string]string // aws:PrincipalTag/KEY; keys compare without regard to case
	// TokenIssued is aws:TokenIssueTime: when a session's credentials were made; zero for long-term ones.
	TokenIssued    time.Time
	SourceIdentity string // aws:SourceIdentity of a session, or empty
}

// RootOf is the root user of an account.
func RootOf(account string) Principal {
	return Principal{Kind: Root, Account: account, ARN: "arn:aws:iam::" + account + ":root", UserID: account}
}

// ServiceOf is a service of the cloud by its name, such as healthlake.amazonaws.com.
func ServiceOf(name string) Principal {
	return Principal{Kind: Service, ARN: name}
}

// SessionOf is a session of a role by that name. The caller adds tags, issue time and access key.
func SessionOf(role Role, session string) Principal {
	return Principal{
		Kind:        AssumedRole,
		Account:     role.Account,
		ARN:         "arn:aws:sts::" + role.Account + ":assumed-role/" + role.Name + "/" + session,
		UserID:      role.ID + ":" + session,
		RoleARN:     role.ARN,
		SessionName: session,
	}
}

// Request is one thing that a principal wants to do. It must not change while it is being decided.
type Request struct {
	Principal Principal
	Action    string    // "s3:PutObject"; compares without regard to case
	Resource  string    // the ARN, or "*" for an action that has no resource
	Owner     string    // the account that owns the resource; empty means the principal's own
	When      time.Time // the time of the request, for aws:CurrentTime, aws:EpochTime and nothing else
	Context   Context   // what else is known; see the Key constants
}

// sameAccount reports whether the resource belongs to the principal's account. Services and nobody have none.
func (r *Request) sameAccount() bool {
	return r.Principal.Account != "" && (r.Owner == "" || r.Owner == r.Principal.Account)
}

// Values are the values of a condition key, empty where the request does not have it. key must be in lower case. What
// the principal says of itself (aws:Principal..., aws:userid, aws:username, aws:TokenIssueTime, ...) comes from
// Principal alone, and aws:CurrentTime and aws:EpochTime from When, whatever Context holds: nobody can forge them.
// one is room for a single value, so that the call need not allocate.
func (r *Request) Values(key string, one *[1]string) []string {
	if !strings.HasPrefix(key, "aws:") {
		return r.Context.values(key)
	}
	value, known := r.own(key[len("aws:"):])
	switch {
	case !known:
		return r.Context.values(key)
	case value == "":
		return nil
	}
	one[0] = value
	return one[:]
}
