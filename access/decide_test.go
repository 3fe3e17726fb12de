package access_test

import (
	"testing"

	"tarn/access"
	"tarn/fault"
)

// says is a policy with one fixed answer.
type says access.Decision

func (s says) Evaluate(*access.Request) access.Decision { return access.Decision(s) }

var (
	allow = says{Effect: access.Allow, By: "a"}
	deny  = says{Effect: access.ExplicitDeny, By: "d"}
	mum   = says{}
)

func names(reach access.Reach) says { return says{Effect: access.Allow, By: "r", Reach: reach} }

const (
	home   = "111122223333"
	abroad = "999999999999"
)

var (
	user    = access.Principal{Kind: access.User, Account: home, ARN: "arn:aws:iam::" + home + ":user/u"}
	session = access.SessionOf(access.Role{ARN: "arn:aws:iam::" + home + ":role/r", Name: "r", ID: "AROA", Account: home}, "s")
	service = access.ServiceOf("healthlake.amazonaws.com")
	nobody  access.Principal
)

func list(p ...access.Policy) []access.Policy { return p }

func TestDecide(t *testing.T) {
	t.Parallel()
	const (
		yes   = access.Allow
		no    = access.ImplicitDeny
		never = access.ExplicitDeny
	)
	self, byRole, byAccount := names(access.ReachSelf), names(access.ReachRole), names(access.ReachAccount)
	for _, c := range []struct {
		name     string
		who      access.Principal
		grant    access.Grant
		resource access.Policy
		// open is Decide, gate DecideGated, within one account; cross is Decide across accounts.
		open, gate, cross access.Effect
	}{
		{"nothing", user, access.Grant{}, nil, no, no, no},
		{"own allow", user, access.Grant{Identity: list(mum, allow)}, nil, yes, no, no},
		{"own allow, resource silent", user, access.Grant{Identity: list(allow)}, mum, yes, no, no},
		{"own deny", user, access.Grant{Identity: list(allow, deny)}, self, never, never, never},
		{"resource deny", user, access.Grant{Identity: list(allow)}, deny, never, never, never},
		{"resource names it", user, access.Grant{}, self, yes, yes, no},
		{"resource names its account", user, access.Grant{}, byAccount, no, no, no},
		{"account and own allow", user, access.Grant{Identity: list(allow)}, byAccount, yes, yes, yes},
		{"both", user, access.Grant{Identity: list(allow)}, self, yes, yes, yes},

		{"boundary silent", user, access.Grant{Identity: list(allow), Boundary: mum}, nil, no, no, no},
		{"boundary allows", user, access.Grant{Identity: list(allow), Boundary: allow}, byAccount, yes, yes, yes},
		{"boundary alone", user, access.Grant{Boundary: allow}, nil, no, no, no},
		{"boundary denies", user, access.Grant{Identity: list(allow), Boundary: deny}, self, never, never, never},
		{"boundary silent, resource names it", user, access.Grant{Boundary: mum}, self, yes, yes, no},
		{"boundary silent, account", user, access.Grant{Identity: list(allow), Boundary: mum}, byAccount, no, no, no},

		{"session: own allow", session, access.Grant{Identity: list(allow)}, nil, yes, no, no},
		{"session policy silent", session, access.Grant{Identity: list(allow), Session: list(mum)}, nil, no, no, no},
		{"session policy empty", session, access.Grant{Identity: list(allow), Session: list()}, nil, yes, no, no},
		{"session policy allows", session, access.Grant{Identity: list(allow), Session: list(mum, allow)}, nil, yes, no, no},
		{"session policy alone", session, access.Grant{Session: list(allow)}, nil, no, no, no},
		{"session policy denies", session, access.Grant{Identity: list(allow), Session: list(allow, deny)}, self, never, never, never},
		{"session policy denies over boundary", session, access.Grant{Identity: list(allow), Session: list(deny), Boundary: mum}, self, never, never, never},
		{"boundary denies over session policy", session, access.Grant{Identity: list(allow), Session: list(mum), Boundary: deny}, self, never, never, never},
		{"both limits allow", session, access.Grant{Identity: list(allow), Session: list(allow), Boundary: allow}, byRole, yes, yes, yes},
		{"role named", session, access.Grant{}, byRole, yes, yes, no},
		{"role named, session policy silent", session, access.Grant{Session: list(mum)}, byRole, no, no, no},
		{"role named, boundary silent", session, access.Grant{Boundary: mum}, byRole, no, no, no},
		{"session named, session policy silent", session, access.Grant{Session: list(mum), Boundary: mum}, self, yes, yes, no},
		{"role named abroad, limits silent", session, access.Grant{Identity: list(allow), Session: list(mum)}, byRole, no, no, no},

		{"root", access.RootOf(home), access.Grant{}, nil, yes, no, no},
		{"root, resource silent", access.RootOf(home), access.Grant{}, mum, yes, no, no},
		{"root, account named", access.RootOf(home), access.Grant{}, byAccount, yes, yes, yes},
		{"root, resource deny", access.RootOf(home), access.Grant{}, deny, never, never, never},

		{"service", service, access.Grant{Identity: list(allow)}, nil, no, no, no},
		{"service named", service, access.Grant{}, self, yes, yes, yes},
		{"service denied", service, access.Grant{}, deny, never, never, never},
		{"nobody", nobody, access.Grant{Identity: list(allow)}, mum, no, no, no},
		{"everyone named", nobody, access.Grant{}, self, yes, yes, yes},
		{"nobody denied", nobody, access.Grant{}, deny, never, never, never},
		{"forgotten kind", access.Principal{Kind: 99, Account: home}, access.Grant{Identity: list(allow)}, nil, no, no, no},
	} {
		r := &access.Request{Principal: c.who, Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Owner: home}
		if d := access.Decide(r, c.grant, c.resource); d.Effect != c.open {
			t.Errorf("%s: Decide says %+v, want %v", c.name, d, c.open)
		}
		if d := access.DecideGated(r, c.grant, c.resource); d.Effect != c.gate {
			t.Errorf("%s: DecideGated says %+v, want %v", c.name, d, c.gate)
		}
		if c.who.Account != "" {
			r.Owner = ""
			if d := access.Decide(r, c.grant, c.resource); d.Effect != c.open {
				t.Errorf("%s: without an owner Decide says %+v, want %v", c.name, d, c.open)
			}
		}
		r.Owner = abroad
		for _, decide := range []func(*access.Request, access.Grant, access.Policy) access.Decision{access.Decide, access.DecideGated} {
			if d := decide(r, c.grant, c.resource); d.Effect != c.cross {
				t.Errorf("%s: across accounts it says %+v, want %v", c.name, d, c.cross)
			}
		}
	}
}

// The root user can always take back a bucket policy that locks everyone out; nobody else can, and nothing else.
func TestDecide_rootMendsABucketPolicy(t *testing.T) {
	t.Parallel()
	for action, want := range map[string]bool{"s3:PutBucketPolicy": true, "s3:GetBucketPolicy": true, "s3:DeleteBucketPolicy": true, "s3:GetObject": false} {
		r := &access.Request{Principal: access.RootOf(home), Action: action, Resource: "arn:aws:s3:::b", Owner: home}
		if got := access.Decide(r, access.Grant{}, deny).Allowed(); got != want {
			t.Errorf("root, %s: %v", action, got)
		}
		r.Owner = abroad
		if access.Decide(r, access.Grant{}, deny).Allowed() {
			t.Errorf("foreign root, %s: allowed", action)
		}
		r = &access.Request{Principal: user, Action: action, Resource: "arn:aws:s3:::b"}
		if access.Decide(r, access.Grant{Identity: list(allow)}, deny).Allowed() {
			t.Errorf("user, %s: allowed", action)
		}
	}
}

func TestDecision_saysWhy(t *testing.T) {
	t.Parallel()
	const start = "User: arn:aws:iam::111122223333:user/u is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::b/k "
	r := &access.Request{Principal: user, Action: "s3:GetObject", Resource: "arn:aws:s3:::b/k", Owner: home}
	for _, c := range []struct {
		grant    access.Grant
		resource access.Policy
		gated    bool
		want     string
	}{
		{access.Grant{}, nil, false, start + "because no identity-based policy allows the s3:GetObject action"},
		{access.Grant{Identity: list(deny)}, nil, false, start + "with an explicit deny in an identity-based policy"},
		{access.Grant{}, deny, false, start + "with an explicit deny in a resource-based policy"},
		{access.Grant{Identity: list(allow), Boundary: mum}, nil, false, start + "because no permissions boundary allows the s3:GetObject action"},
		{access.Grant{Identity: list(allow), Boundary: deny}, nil, false, start + "with an explicit deny in a permissions boundary"},
		{access.Grant{Identity: list(allow), Session: list(mum)}, nil, false, start + "because no session policy allows the s3:GetObject action"},
		{access.Grant{Identity: list(allow)}, mum, true, start + "because no resource-based policy allows the s3:GetObject action"},
	} {
		decide := access.Decide
		if c.gated {
			decide = access.DecideGated
		}
		err := decide(r, c.grant, c.resource).Err("test", r)
		if !fault.Is(err, fault.Denied) || fault.Message(err) != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
	if err := (access.Decision{Effect: access.Allow}).Err("test", r); err != nil {
		t.Errorf("an allow is no error: %v", err)
	}
	r = &access.Request{Action: "s3:ListBuckets"}
	want := "User: anonymous is not authorized to perform: s3:ListBuckets on resource: * because no resource-based policy allows the s3:ListBuckets action"
	if err := access.Decide(r, access.Grant{}, nil).Err("test", r); fault.Message(err) != want {
		t.Errorf("got %v", err)
	}
}

func TestDecision_namesThePolicyThatDecided(t *testing.T) {
	t.Parallel()
	r := &access.Request{Principal: user, Action: "s3:GetObject", Resource: "*"}
	for _, c := range []struct {
		grant    access.Grant
		resource access.Policy
		source   access.Source
		by       string
	}{
		{access.Grant{Identity: list(mum, allow)}, nil, access.FromIdentity, "a"},
		{access.Grant{Identity: list(allow, deny)}, nil, access.FromIdentity, "d"},
		{access.Grant{Identity: list(allow)}, names(access.ReachSelf), access.FromResource, "r"},
		{access.Grant{Identity: list(allow), Session: list(deny)}, nil, access.FromSession, "d"},
		{access.Grant{Identity: list(allow), Boundary: deny}, nil, access.FromBoundary, "d"},
	} {
		if d := access.Decide(r, c.grant, c.resource); d.Source != c.source || d.By != c.by {
			t.Errorf("got %+v, want %v by %q", d, c.source, c.by)
		}
	}
}
