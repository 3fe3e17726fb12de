package localcloud

import (
	"net/http"
	"slices"
	"strings"

	"tarn/access"
	"tarn/account"
	"tarn/api/edge"
	"tarn/fault"
)

// NewIAM is the face of IAM: the query API of version 2010-05-08.
func NewIAM(e *edge.Edge, a *account.Accounts) http.Handler {
	rows := make(map[string]*iamRow, len(iamRows))
	for i := range iamRows {
		rows[iamRows[i].action] = &iamRows[i]
	}
	return &queryFace{edge: e, accounts: a, service: "iam", version: "2010-05-08", namespace: edge.NamespaceIAM,
		run: func(c *queryCall) (any, bool, error) {
			row := rows[c.action]
			if row == nil {
				return nil, false, nil
			}
			edge.SetRoute(c.ctx, "iam."+row.action)
			if err := authorizeIAM(c, row); err != nil {
				return nil, true, err
			}
			result, err := row.run(c)
			return result, true, err
		}}
}

// iamRow is one action: the permission is iam:ACTION, asked for on what on names.
type iamRow struct {
	action string
	on     target
	run    func(c *queryCall) (any, error)
}

// target says on which resource an action is authorized.
type target string

// The targets. Those of an existing user, role or group are its ARN with its path, or what the ARN would be.
const (
	onAny       target = "*"
	onUser      target = "user UserName"
	onSelf      target = "user UserName, or the caller"
	onRole      target = "role RoleName"
	onGroup     target = "group GroupName"
	onPolicy    target = "policy PolicyArn"
	onSource    target = "PolicySourceArn"
	onNewUser   target = "new user Path UserName"
	onNewRole   target = "new role Path RoleName"
	onNewGroup  target = "new group Path GroupName"
	onNewPolicy target = "new policy Path PolicyName"
	onUsers     target = "users below PathPrefix"
	onRoles     target = "roles below PathPrefix"
	onGroups    target = "groups below PathPrefix"
	onPolicies  target = "policies below PathPrefix"
)

// holders names the parameter of an entity's name.
var holders = map[account.Kind]string{account.User: "UserName", account.Role: "RoleName", account.Group: "GroupName"}

func authorizeIAM(c *queryCall, row *iamRow) error {
	resource, facts, err := resourceIAM(c, row.on)
	if err != nil {
		return err
	}
	tags, err := c.tags()
	if err != nil {
		return err
	}
	given, err := givenIAM(c, row, tags)
	if err != nil {
		return err
	}
	facts = append(facts, given...)
	if err := c.Authorize("iam:"+row.action, resource, facts...); err != nil {
		return err
	}
	// What is born with tags needs the right to tag, too.
	if kind, ok := strings.CutPrefix(row.action, "Create"); ok && len(tags) > 0 {
		return c.Authorize("iam:Tag"+kind, resource, facts...)
	}
	return nil
}

// givenIAM are the facts that the request's own parameters make. Only parameters that the action takes do so: one that
// it passes over must not make a condition hold which speaks of the resource as it is.
func givenIAM(c *queryCall, row *iamRow, tags []account.Tag) (facts []edge.Fact, err error) {
	does := func(verbs ...string) bool {
		return slices.ContainsFunc(verbs, func(verb string) bool { return strings.HasPrefix(row.action, verb) })
	}
	if arn := c.text("PolicyArn"); arn != "" && does("Attach", "Detach") {
		facts = append(facts, edge.Fact{Key: "iam:PolicyARN", Values: []string{arn}})
	}
	if bound := c.text("PermissionsBoundary"); bound != "" && does("CreateUser", "CreateRole", "PutUserPermissionsBoundary", "PutRolePermissionsBoundary") {
		facts = append(facts, edge.Fact{Key: "iam:PermissionsBoundary", Values: []string{bound}})
	}
	switch {
	case does("Untag"):
		keys, err := c.list("TagKeys", account.MaxTags)
		if len(keys) > 0 {
			facts = append(facts, edge.Fact{Key: access.KeyTagKeys, Values: keys})
		}
		return facts, err
	case does("Tag", "CreateUser", "CreateRole", "CreatePolicy") && row.action != "CreatePolicyVersion":
		facts = append(facts, edge.RequestTags(tagMap(tags))...)
	}
	return facts, nil
}

func resourceIAM(c *queryCall, on target) (arn string, facts []edge.Fact, err error) {
	prefix := c.text("PathPrefix")
	if prefix == "" {
		prefix = "/"
	}
	switch on {
	case onUser:
		return holderARN(c, account.User)
	case onSelf:
		if c.text("UserName") == "" {
			return c.Principal.ARN, nil, nil
		}
		return holderARN(c, account.User)
	case onRole:
		return holderARN(c, account.Role)
	case onGroup:
		return holderARN(c, account.Group)
	case onPolicy:
		if arn, err = c.need("PolicyArn"); err != nil {
			return "", nil, err
		}
		p, err := c.accounts.ManagedPolicy(c.ctx, arn)
		if err == nil {
			facts = iamTags(p.Tags)
		} else if fault.KindOf(err) == fault.Unavailable {
			return "", nil, err
		}
		return arn, facts, nil
	case onSource:
		arn, err = c.need("PolicySourceArn")
		return arn, nil, err
	case onNewUser:
		return newARN(c, "user", "UserName")
	case onNewRole:
		return newARN(c, "role", "RoleName")
	case onNewGroup:
		return newARN(c, "group", "GroupName")
	case onNewPolicy:
		return newARN(c, "policy", "PolicyName")
	case onUsers:
		return c.accounts.ARN("user" + prefix), nil, nil
	case onRoles:
		return c.accounts.ARN("role" + prefix), nil, nil
	case onGroups:
		return c.accounts.ARN("group" + prefix), nil, nil
	case onPolicies:
		return c.accounts.ARN("policy" + prefix), nil, nil
	}
	return "*", nil, nil
}

func newARN(c *queryCall, kind, parameter string) (string, []edge.Fact, error) {
	name, err := c.need(parameter)
	path := c.text("Path")
	if path == "" {
		path = "/"
	}
	return c.accounts.ARN(kind + path + name), nil, err
}

// holderARN is the ARN of an entity, or what it would be without a path: whoever may not ask is not told that it is
// missing. Its tags and its permissions boundary are facts for conditions.
func holderARN(c *queryCall, kind account.Kind) (string, []edge.Fact, error) {
	name, err := c.need(holders[kind])
	if err != nil {
		return "", nil, err
	}
	e, err := c.accounts.Get(c.ctx, account.Holder{Kind: kind, Name: name})
	switch {
	case fault.KindOf(err) == fault.Unavailable || fault.KindOf(err) == fault.Internal && err != nil:
		return "", nil, err
	case err != nil:
		return c.accounts.ARN(string(kind) + "/" + name), nil, nil
	}
	facts := iamTags(e.Tags)
	if e.Boundary != "" {
		facts = append(facts, edge.Fact{Key: "iam:PermissionsBoundary", Values: []string{e.Boundary}})
	}
	return e.ARN, facts, nil
}

// iamTags are the tags on a resource under both names that IAM knows them by.
func iamTags(tags []account.Tag) []edge.Fact {
	facts := edge.ResourceTags(tagMap(tags))
	for _, t := range tags {
		facts = append(facts, edge.Fact{Key: "iam:ResourceTag/" + t.Key, Values: []string{t.Value}})
	}
	return facts
}

// holder is the entity that a request names.
func holder(c *queryCall, kind account.Kind) (account.Holder, error) {
	name, err := c.need(holders[kind])
	return account.Holder{Kind: kind, Name: name}, err
}

// self is the user that a request names, or the caller; empty means the root.
func self(c *queryCall) (string, error) {
	if name := c.text("UserName"); name != "" {
		return name, nil
	}
	switch c.Principal.Kind {
	case access.Root:
		return "", nil
	case access.User:
		return c.Principal.UserName, nil
	}
	return "", edge.WithCode("ValidationError", fault.Errorf(fault.Invalid, "iam", "Must specify userName when calling with non-User credentials"))
}
