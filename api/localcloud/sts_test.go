package localcloud_test

import (
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	ststypes "github.com/aws/aws-sdk-go-v2/service/sts/types"
)

const trustAna = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::012345678910:user/ana"},"Action":["sts:AssumeRole","sts:TagSession"],
	"Condition":{"StringEquals":{"sts:ExternalId":"door-7"}}},
	{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::012345678910:role/ops"},"Action":"sts:AssumeRole"}]}`

func taken(c *ststypes.Credentials) aws.Credentials {
	return aws.Credentials{AccessKeyID: *c.AccessKeyId, SecretAccessKey: *c.SecretAccessKey, SessionToken: *c.SessionToken}
}

// ops makes the role ops, which ana may assume and which may look at everything in IAM.
func ops(t *testing.T, s *rights) {
	root, ctx := s.iam(s.root), t.Context()
	got(root.CreateRole(ctx, &iam.CreateRoleInput{RoleName: aws.String("ops"), AssumeRolePolicyDocument: aws.String(trustAna), MaxSessionDuration: aws.Int32(7200)}))(t)
	got(root.AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: aws.String("ops"), PolicyArn: aws.String("arn:aws:iam::aws:policy/IAMReadOnlyAccess")}))(t)
}

func assume(change func(*sts.AssumeRoleInput)) *sts.AssumeRoleInput {
	in := &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::012345678910:role/ops"), RoleSessionName: aws.String("night"), ExternalId: aws.String("door-7")}
	if change != nil {
		change(in)
	}
	return in
}

func TestSTS_assumeRole(t *testing.T) {
	t.Parallel()
	s := newRights(t)
	keys := s.user("ana", "")
	ops(t, s)
	ctx := t.Context()
	out := got(s.sts(keys).AssumeRole(ctx, assume(nil)))(t)
	if *out.AssumedRoleUser.Arn != "arn:aws:sts::012345678910:assumed-role/ops/night" || !strings.HasSuffix(*out.AssumedRoleUser.AssumedRoleId, ":night") ||
		!strings.HasPrefix(*out.Credentials.AccessKeyId, "ASIA") {
		t.Errorf("assumed %+v", out.AssumedRoleUser)
	}
	session := taken(out.Credentials)
	who := got(s.sts(session).GetCallerIdentity(ctx, nil))(t)
	if *who.Arn != *out.AssumedRoleUser.Arn || *who.UserId != *out.AssumedRoleUser.AssumedRoleId || *who.Account != "012345678910" {
		t.Errorf("identity %+v", who)
	}
	got(s.iam(session).ListUsers(ctx, &iam.ListUsersInput{}))(t)
	_, err := s.iam(session).CreateUser(ctx, &iam.CreateUserInput{UserName: aws.String("eve")})
	refused(t, err, 403, "AccessDenied", "User: arn:aws:sts::012345678910:assumed-role/ops/night is not authorized")

	// The token and the key belong together; a restart, which is what another node is too, knows both.
	bare, foreign := session, session
	bare.SessionToken = ""
	foreign.SessionToken = taken(got(s.sts(keys).AssumeRole(ctx, assume(nil)))(t).Credentials).SessionToken
	for name, c := range map[string]aws.Credentials{"no token": bare, "another session's token": foreign, "a user's key with a token": {AccessKeyID: keys.AccessKeyID, SecretAccessKey: keys.SecretAccessKey, SessionToken: session.SessionToken}} {
		if _, err := s.sts(c).GetCallerIdentity(ctx, nil); err == nil {
			t.Errorf("%s is taken", name)
		} else {
			refused(t, err, 403, "InvalidClientTokenId")
		}
	}
	s.start()
	got(s.iam(session).ListUsers(ctx, &iam.ListUsersInput{}))(t)

	s.ahead.Store(int64(time.Hour))
	_, err = s.sts(session).GetCallerIdentity(ctx, nil)
	refused(t, err, 403, "SignatureDoesNotMatch", "Signature expired")
	s.ahead.Store(0)

	// A role made anew under the same name is another one.
	root := s.iam(s.root)
	got(root.DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: aws.String("ops"), PolicyArn: aws.String("arn:aws:iam::aws:policy/IAMReadOnlyAccess")}))(t)
	got(root.DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: aws.String("ops")}))(t)
	_, err = s.sts(session).GetCallerIdentity(ctx, nil)
	refused(t, err, 403, "InvalidClientTokenId")
	ops(t, s)
	_, err = s.sts(session).GetCallerIdentity(ctx, nil)
	refused(t, err, 403, "InvalidClientTokenId")
}

func TestSTS_refusals(t *testing.T) {
	t.Parallel()
	s := newRights(t)
	ana, bob := s.user("ana", ""), s.user("bob", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)
	ops(t, s)
	ctx := t.Context()
	chained := taken(got(s.sts(ana).AssumeRole(ctx, assume(nil)))(t).Credentials)
	for name, c := range map[string]struct {
		who    aws.Credentials
		change func(*sts.AssumeRoleInput)
		status int
		code   string
		text   string
	}{
		"not trusted":         {bob, nil, 403, "AccessDenied", "user/bob is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::012345678910:role/ops"},
		"missing role":        {ana, func(in *sts.AssumeRoleInput) { in.RoleArn = aws.String("arn:aws:iam::012345678910:role/nil") }, 403, "AccessDenied", "user/ana is not authorized to perform: sts:AssumeRole"},
		"wrong external id":   {ana, func(in *sts.AssumeRoleInput) { in.ExternalId = aws.String("door-8") }, 403, "AccessDenied", "sts:AssumeRole"},
		"root":                {s.root, nil, 403, "AccessDenied", "Roles may not be assumed by root accounts."},
		"too short":           {ana, func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(60) }, 400, "ValidationError", "durationSeconds"},
		"over the role's":     {ana, func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(7201) }, 400, "ValidationError", "MaxSessionDuration"},
		"chained too long":    {chained, func(in *sts.AssumeRoleInput) { in.DurationSeconds = aws.Int32(3601) }, 400, "ValidationError", "role chaining"},
		"bad session name":    {ana, func(in *sts.AssumeRoleInput) { in.RoleSessionName = aws.String("a b") }, 400, "ValidationError", "roleSessionName"},
		"bad session policy":  {ana, func(in *sts.AssumeRoleInput) { in.Policy = aws.String("{}") }, 400, "MalformedPolicyDocument", ""},
		"source identity not": {ana, func(in *sts.AssumeRoleInput) { in.SourceIdentity = aws.String("ana") }, 403, "AccessDenied", "sts:SetSourceIdentity"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := s.sts(c.who).AssumeRole(ctx, assume(c.change))
			refused(t, err, c.status, c.code, c.text)
		})
	}
	got(s.sts(chained).AssumeRole(ctx, assume(func(in *sts.AssumeRoleInput) { in.ExternalId = nil })))(t)
	_, err := s.sts(ana).GetFederationToken(ctx, &sts.GetFederationTokenInput{Name: aws.String("fed")})
	refused(t, err, 400, "InvalidAction", "GetFederationToken is not offered")
	_, err = s.sts(ana).DecodeAuthorizationMessage(ctx, &sts.DecodeAuthorizationMessageInput{EncodedMessage: aws.String("x")})
	refused(t, err, 400, "InvalidAction", "plainly")
}

func TestSTS_sessionPoliciesNarrow(t *testing.T) {
	t.Parallel()
	s := newRights(t)
	ana := s.user("ana", "")
	ops(t, s)
	ctx := t.Context()
	inline := taken(got(s.sts(ana).AssumeRole(ctx, assume(func(in *sts.AssumeRoleInput) {
		in.Policy = aws.String(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*"}}`)
	})))(t).Credentials)
	managed := taken(got(s.sts(ana).AssumeRole(ctx, assume(func(in *sts.AssumeRoleInput) {
		in.PolicyArns = []ststypes.PolicyDescriptorType{{Arn: aws.String("arn:aws:iam::aws:policy/AmazonS3FullAccess")}}
		in.Tags = []ststypes.Tag{{Key: aws.String("team"), Value: aws.String("night")}}
	})))(t).Credentials)
	got(s.iam(inline).ListUsers(ctx, &iam.ListUsersInput{}))(t)
	s.start() // what narrows a session travels with it
	_, err := s.iam(inline).ListRoles(ctx, &iam.ListRolesInput{})
	refused(t, err, 403, "AccessDenied", "because no session policy allows the iam:ListRoles action")
	_, err = s.iam(managed).ListUsers(ctx, &iam.ListUsersInput{})
	refused(t, err, 403, "AccessDenied", "session policy")
}

func TestSTS_sessionTokenExpires(t *testing.T) {
	t.Parallel()
	s := newRights(t)
	ana := s.user("ana", `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"iam:ListUsers","Resource":"*"}}`)
	ctx := t.Context()
	// Clocks may be 15 minutes apart, which is as long as the shortest session: one that is issued by a clock that is
	// slow by 14 minutes ends in a minute.
	s.ahead.Store(int64(-14 * time.Minute))
	session := taken(got(s.sts(ana).GetSessionToken(ctx, &sts.GetSessionTokenInput{DurationSeconds: aws.Int32(900)}))(t).Credentials)
	s.ahead.Store(0)
	got(s.iam(session).ListUsers(ctx, &iam.ListUsersInput{}))(t)
	_, err := s.sts(session).GetSessionToken(ctx, nil)
	refused(t, err, 403, "AccessDenied", "session credentials")
	s.ahead.Store(int64(2 * time.Minute))
	_, err = s.iam(session).ListUsers(ctx, &iam.ListUsersInput{})
	refused(t, err, 403, "ExpiredToken", "expired")
}

// Who is behind a chain of sessions must be told truly at its end.
func TestSTS_sourceIdentityGoesWithTheChain(t *testing.T) {
	t.Parallel()
	s := newRights(t)
	ana := s.user("ana", "")
	ctx := t.Context()
	trust := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":["sts:AssumeRole","sts:SetSourceIdentity"]}}`
	closed := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}}`
	for name, document := range map[string]string{"one": trust, "two": trust, "closed": closed} {
		got(s.iam(s.root).CreateRole(ctx, &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &document}))(t)
	}
	take := func(c aws.Credentials, role, source string) (*sts.AssumeRoleOutput, error) {
		in := &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::012345678910:role/" + role), RoleSessionName: aws.String("night")}
		if source != "" {
			in.SourceIdentity = &source
		}
		return s.sts(c).AssumeRole(ctx, in)
	}
	one := taken(got(take(ana, "one", "ana"))(t).Credentials)
	two := got(take(one, "two", ""))(t)
	if aws.ToString(two.SourceIdentity) != "ana" {
		t.Errorf("the source identity of the second session is %q", aws.ToString(two.SourceIdentity))
	}
	_, err := take(taken(two.Credentials), "one", "eve")
	refused(t, err, 403, "AccessDenied", "source identity ana")
	_, err = take(one, "closed", "")
	refused(t, err, 403, "AccessDenied", "sts:SetSourceIdentity")
	_, err = s.sts(ana).AssumeRole(ctx, &sts.AssumeRoleInput{RoleArn: aws.String("arn:aws:iam::012345678910:role/one"), RoleSessionName: aws.String("night"), TransitiveTagKeys: []string{"team"}})
	refused(t, err, 400, "ValidationError", "TransitiveTagKeys is not offered")
}
