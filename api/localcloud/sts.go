package localcloud

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"tarn/account"
	"tarn/api/edge"
	"tarn/fault"
)

// NewSTS is the face of STS: the query API of version 2011-06-15.
func NewSTS(e *edge.Edge, a *account.Accounts) http.Handler {
	rows := make(map[string]*stsRow, len(stsRows))
	for i := range stsRows {
		rows[stsRows[i].action] = &stsRows[i]
	}
	return &queryFace{edge: e, accounts: a, service: "sts", version: "2011-06-15", namespace: edge.NamespaceSTS,
		run: func(c *queryCall) (any, bool, error) {
			row := rows[c.action]
			if row == nil {
				return nil, false, nil
			}
			edge.SetRoute(c.ctx, "sts."+row.action)
			if row.authorized {
				if err := c.Authorize("sts:"+row.action, "*"); err != nil {
					return nil, true, err
				}
			}
			result, err := row.run(c)
			return result, true, err
		}}
}

// stsRow is one action. authorized says that sts:ACTION is asked for on *; AssumeRole is decided with the role's trust
// policy, and the others are open to whoever has signed.
type stsRow struct {
	action     string
	authorized bool
	run        func(c *queryCall) (any, error)
}

var stsRows = []stsRow{
	{"GetCallerIdentity", false, getCallerIdentity},
	{"AssumeRole", false, assumeRole},
	{"GetSessionToken", false, getSessionToken},
	{"GetAccessKeyInfo", true, getAccessKeyInfo},
	{"GetFederationToken", false, notOffered("make a role for the federated user, and let it be assumed")},
	{"AssumeRoleWithWebIdentity", false, notOffered("only callers with access keys of this server can assume roles")},
	{"AssumeRoleWithSAML", false, notOffered("only callers with access keys of this server can assume roles")},
	{"DecodeAuthorizationMessage", false, notOffered("messages of refusals are not encoded here: they say plainly what was missing")},
}

func notOffered(hint string) func(c *queryCall) (any, error) {
	return func(c *queryCall) (any, error) {
		return nil, edge.WithCode("InvalidAction", fault.WithHint(
			fault.Errorf(fault.Unsupported, "sts", "%s is not offered by this server", c.action), "%s", hint))
	}
}

func getCallerIdentity(c *queryCall) (any, error) {
	return struct{ Arn, UserId, Account string }{c.Principal.ARN, c.Principal.UserID, c.Principal.Account}, nil
}

type credentialsXML struct {
	AccessKeyId, SecretAccessKey, SessionToken string
	Expiration                                 time.Time
}

func credentials(c account.Credentials) credentialsXML {
	return credentialsXML{c.AccessKeyID, c.Secret, c.SessionToken, c.Expires.UTC()}
}

func assumeRole(c *queryCall) (any, error) {
	role, err := c.need("RoleArn")
	if err != nil {
		return nil, err
	}
	name, err := c.need("RoleSessionName")
	if err != nil {
		return nil, err
	}
	if c.form.Has("TransitiveTagKeys.member.1") {
		return nil, edge.WithCode("ValidationError", fault.WithHint(fault.Errorf(fault.Unsupported, "sts", "TransitiveTagKeys is not offered by this server"),
			"give the tags again where the next role is assumed"))
	}
	seconds, err := c.number("DurationSeconds", 900, 43200, 3600)
	if err != nil {
		return nil, err
	}
	tags, err := c.tags()
	if err != nil {
		return nil, err
	}
	in := account.Assumption{Caller: c.Principal, Grant: c.Grant, Context: c.Context(), When: c.When, RoleARN: role, SessionName: name,
		Duration: time.Duration(seconds) * time.Second, ExternalID: c.text("ExternalId"), SourceIdentity: c.text("SourceIdentity"),
		Policy: c.text("Policy"), Tags: tags}
	for i := 1; ; i++ {
		arn := c.text("PolicyArns.member." + strconv.Itoa(i) + ".arn")
		if arn == "" {
			break
		}
		in.PolicyARNs = append(in.PolicyARNs, arn)
	}
	out, err := c.accounts.AssumeRole(c.ctx, in)
	if err != nil {
		return nil, err
	}
	var result struct {
		Credentials      credentialsXML
		AssumedRoleUser  struct{ AssumedRoleId, Arn string }
		PackedPolicySize int    `xml:",omitempty"`
		SourceIdentity   string `xml:",omitempty"`
	}
	result.Credentials, result.PackedPolicySize, result.SourceIdentity = credentials(out.Credentials), out.Packed, out.SourceIdentity
	result.AssumedRoleUser.AssumedRoleId, result.AssumedRoleUser.Arn = out.UserID, out.ARN
	return result, nil
}

func getSessionToken(c *queryCall) (any, error) {
	seconds, err := c.number("DurationSeconds", 900, 129600, 0)
	if err != nil {
		return nil, err
	}
	out, err := c.accounts.SessionToken(c.Principal, time.Duration(seconds)*time.Second)
	if err != nil {
		return nil, err
	}
	return struct{ Credentials credentialsXML }{credentials(out)}, nil
}

func getAccessKeyInfo(c *queryCall) (any, error) {
	id, err := c.need("AccessKeyId")
	if err != nil {
		return nil, err
	}
	if !strings.HasPrefix(id, "ASIA") {
		if _, err := c.accounts.KeyOwner(c.ctx, id); err != nil {
			return nil, edge.WithCode("ValidationError", fault.Errorf(fault.Invalid, "sts", "the access key %s is not of this account", brief(id)))
		}
	}
	return struct{ Account string }{c.accounts.Account()}, nil
}
