package account

import (
	"context"
	"sort"
	"time"

	"tarn/access"
	"tarn/access/iam"
	"tarn/fault"
)

// Bounds of the sessions that STS gives.
const (
	minSession     = 15 * time.Minute
	maxChained     = time.Hour
	maxUserSession = 36 * time.Hour
	maxRootSession = time.Hour
	maxSessionARNs = 10
)

// Assumption is what AssumeRole is told.
type Assumption struct {
	Caller         access.Principal
	Grant          access.Grant
	Context        access.Context // of the request; sts:ExternalId and the like are added
	When           time.Time
	RoleARN        string
	SessionName    string
	Duration       time.Duration // 0 is an hour
	ExternalID     string
	SourceIdentity string
	Policy         string   // session policy, or empty
	PolicyARNs     []string // managed session policies
	Tags           []Tag
}

// Assumed is a session of a role.
type Assumed struct {
	Credentials
	ARN            string // arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION
	UserID         string // AROA...:SESSION
	Packed         int    // percent of what a session policy may take
	SourceIdentity string // as asked for, or as the caller has it already
}

// AssumeRole gives a session of a role to a caller whom its trust policy and the caller's own policies let in. A role
// that is not there is refused in the same words as one that does not trust the caller.
func (a *Accounts) AssumeRole(ctx context.Context, in Assumption) (Assumed, error) {
	if err := checkAssumption(&in); err != nil {
		return Assumed{}, err
	}
	if in.Caller.Kind == access.Root {
		e := refuse(fault.Denied, "AccessDenied", "Roles may not be assumed by root accounts.")
		e.Hint = "make a user with an access key, and let it assume the role"
		return Assumed{}, e
	}
	// A source identity says who is behind a chain of sessions: it goes with them, and nobody in between changes it.
	switch was := in.Caller.SourceIdentity; {
	case was != "" && in.SourceIdentity == "":
		in.SourceIdentity = was
	case was != "" && in.SourceIdentity != was:
		return Assumed{}, refuse(fault.Denied, "AccessDenied", "The session has the source identity %s already, which cannot be changed.", was)
	}
	role, err := a.Role(ctx, in.RoleARN)
	missing := fault.Is(err, fault.NotFound)
	if err != nil && !missing {
		return Assumed{}, err
	}
	if missing {
		role = access.Role{ARN: in.RoleARN, Trust: nobody{}}
	}
	in.Context.Set(access.KeyRoleSessionName, in.SessionName)
	if in.ExternalID != "" {
		in.Context.Set(access.KeyExternalID, in.ExternalID)
	}
	if in.SourceIdentity != "" {
		in.Context.Set("sts:sourceidentity", in.SourceIdentity)
	}
	needs := []string{"sts:AssumeRole"}
	if len(in.Tags) > 0 {
		needs = append(needs, "sts:TagSession")
		keys := make([]string, len(in.Tags))
		for i, t := range in.Tags {
			in.Context.Set(access.KeyRequestTag+t.Key, t.Value)
			keys[i] = t.Key
		}
		in.Context.Set(access.KeyTagKeys, keys...)
	}
	if in.SourceIdentity != "" {
		needs = append(needs, "sts:SetSourceIdentity")
	}
	for key, value := range role.Tags {
		in.Context.Set(access.KeyResourceTag+key, value)
	}
	for _, action := range needs {
		r := &access.Request{Principal: in.Caller, Action: action, Resource: in.RoleARN, Owner: a.account, When: in.When, Context: in.Context}
		if !access.DecideGated(r, in.Grant, role.Trust).Allowed() {
			e := refuse(fault.Denied, "AccessDenied", "User: %s is not authorized to perform: %s on resource: %s", in.Caller.ARN, action, in.RoleARN)
			e.Hint = "the role must exist, its trust policy must let this caller in, and where it names only the account the caller's own policies must allow " + action
			return Assumed{}, e
		}
	}
	if in.Duration > role.MaxSession {
		return Assumed{}, invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.")
	}
	issued := a.nowSeconds()
	t := &ticket{Kind: Role, Name: role.Name, ID: role.ID, ARN: role.ARN, Session: in.SessionName, Source: in.SourceIdentity,
		Tags: merged(listed(role.Tags), in.Tags), Issued: issued, Expires: issued.Add(in.Duration), Policy: in.Policy, ARNs: in.PolicyARNs}
	c, err := a.issue(t)
	if err != nil {
		return Assumed{}, err
	}
	p := a.principal(t)
	return Assumed{Credentials: c, ARN: p.ARN, UserID: p.UserID, Packed: iam.Chars([]byte(in.Policy)) * 100 / iam.MaxSession,
		SourceIdentity: in.SourceIdentity}, nil
}

func checkAssumption(in *Assumption) error {
	if len(in.SessionName) < 2 {
		return invalid("1 validation error detected: Value '%s' at 'roleSessionName' failed to satisfy constraint: Member must have length greater than or equal to 2", in.SessionName)
	}
	if err := checkName("roleSessionName", in.SessionName, 64); err != nil {
		return err
	}
	if in.SourceIdentity != "" {
		if err := checkName("sourceIdentity", in.SourceIdentity, 64); err != nil {
			return err
		}
	}
	if len(in.RoleARN) < 20 || len(in.RoleARN) > 2048 {
		return invalid("%s is invalid", brief(in.RoleARN))
	}
	if in.Duration == 0 {
		in.Duration = time.Hour
	}
	if in.Duration < minSession || in.Duration > maxMaxSession {
		return invalid("1 validation error detected: Value '%d' at 'durationSeconds' failed to satisfy constraint: Member must have value between %d and %d",
			int64(in.Duration/time.Second), int64(minSession/time.Second), int64(maxMaxSession/time.Second))
	}
	if in.Caller.Kind == access.AssumedRole && in.Duration > maxChained {
		return invalid("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining")
	}
	if n := len(in.ExternalID); n == 1 || n > 1224 {
		return invalid("1 validation error detected: Value at 'externalId' failed to satisfy constraint: Member must have length between 2 and 1224")
	}
	if len(in.PolicyARNs) > maxSessionARNs {
		return invalid("1 validation error detected: Value at 'policyArns' failed to satisfy constraint: Member must have length less than or equal to %d", maxSessionARNs)
	}
	for _, arn := range in.PolicyARNs {
		if len(arn) < 20 || len(arn) > 512 {
			return invalid("ARN %s is not valid.", brief(arn))
		}
	}
	if in.Policy != "" {
		if _, err := compile(iam.Session, in.Policy); err != nil {
			return err
		}
	}
	return checkTags(in.Tags)
}

// nobody is the trust policy of a role that is not there.
type nobody struct{}

func (nobody) Evaluate(*access.Request) access.Decision { return access.Decision{} }

// SessionToken gives a user, or the root, a session of its own (GetSessionToken); 0 is twelve hours, one for the root.
// A session cannot get another one.
func (a *Accounts) SessionToken(caller access.Principal, d time.Duration) (Credentials, error) {
	t := &ticket{Issued: a.nowSeconds()}
	longest := maxUserSession
	switch {
	case caller.Kind == access.AssumedRole || !caller.TokenIssued.IsZero():
		return Credentials{}, refuse(fault.Denied, "AccessDenied", "Cannot call GetSessionToken with session credentials")
	case caller.Kind == access.Root:
		longest = maxRootSession
	case caller.Kind == access.User:
		t.Kind, t.Name, t.ID, t.ARN = User, caller.UserName, caller.UserID, caller.ARN
		t.Tags = listed(caller.Tags)
	default:
		return Credentials{}, refuse(fault.Denied, "AccessDenied", "Cannot call GetSessionToken without an access key")
	}
	if d == 0 {
		d = min(12*time.Hour, longest)
	}
	if caller.Kind == access.Root {
		d = min(d, maxRootSession)
	}
	if d < minSession || d > longest {
		return Credentials{}, invalid("1 validation error detected: Value '%d' at 'durationSeconds' failed to satisfy constraint: Member must have value between %d and %d",
			int64(d/time.Second), int64(minSession/time.Second), int64(maxUserSession/time.Second))
	}
	t.Expires = t.Issued.Add(d)
	return a.issue(t)
}

func listed(tags map[string]string) []Tag {
	list := make([]Tag, 0, len(tags))
	for key, value := range tags {
		list = append(list, Tag{key, value})
	}
	sort.Slice(list, func(i, j int) bool { return list[i].Key < list[j].Key })
	return list
}
