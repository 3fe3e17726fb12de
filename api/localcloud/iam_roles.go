package localcloud

import (
	"net/url"
	"strings"
	"time"

	"tarn/account"
)

type roleXML struct {
	Path, RoleName, RoleId, Arn string
	CreateDate                  time.Time
	AssumeRolePolicyDocument    string
	Description                 string `xml:",omitempty"`
	MaxSessionDuration          int
	PermissionsBoundary         *boundaryXML
	Tags                        *members[tagXML]
}

// encoded is a policy document as IAM's answers carry it: percent-encoded (RFC 3986).
func encoded(document string) string {
	return strings.ReplaceAll(url.QueryEscape(document), "+", "%20")
}

func briefRole(e *account.Entity) roleXML {
	return roleXML{Path: e.Path, RoleName: e.Name, RoleId: e.ID, Arn: e.ARN, CreateDate: e.Created,
		AssumeRolePolicyDocument: encoded(e.Role.Trust), Description: e.Role.Description, MaxSessionDuration: int(e.Role.MaxSession / time.Second)}
}

func fullRole(e *account.Entity) roleXML {
	r := briefRole(e)
	r.PermissionsBoundary, r.Tags = boundary(e.Boundary), tagsXML(e.Tags)
	return r
}

type roleResult struct{ Role roleXML }

func createRole(c *queryCall) (any, error) {
	trust, err := c.need("AssumeRolePolicyDocument")
	if err != nil {
		return nil, err
	}
	seconds, err := c.number("MaxSessionDuration", 3600, 43200, 3600)
	if err != nil {
		return nil, err
	}
	tags, err := c.tags()
	if err != nil {
		return nil, err
	}
	e, err := c.accounts.Create(c.ctx, account.NewEntity{Kind: account.Role, Name: c.text("RoleName"), Path: c.text("Path"), Tags: tags,
		Boundary: c.text("PermissionsBoundary"), Trust: trust, Description: c.text("Description"), MaxSession: time.Duration(seconds) * time.Second})
	if err != nil {
		return nil, err
	}
	return roleResult{fullRole(e)}, nil
}

func getRole(c *queryCall) (any, error) {
	e, err := c.accounts.Get(c.ctx, account.Holder{Kind: account.Role, Name: c.text("RoleName")})
	if err != nil {
		return nil, err
	}
	return roleResult{fullRole(e)}, nil
}

func listRoles(c *queryCall) (any, error) {
	list, err := c.accounts.List(c.ctx, account.Role, c.text("PathPrefix"))
	if err != nil {
		return nil, err
	}
	list, cut, err := pagedEntities(c, list)
	var result struct {
		Roles members[roleXML]
		page
	}
	result.page = cut
	for _, e := range list {
		result.Roles.Member = append(result.Roles.Member, briefRole(e))
	}
	return result, err
}

func updateRole(c *queryCall) (any, error) {
	seconds, err := c.number("MaxSessionDuration", 3600, 43200, 0)
	if err != nil {
		return nil, err
	}
	var description *string
	if c.form.Has("Description") {
		text := c.text("Description")
		description = &text
	}
	_, err = c.accounts.UpdateRole(c.ctx, c.text("RoleName"), description, time.Duration(seconds)*time.Second)
	return struct{}{}, err
}

func updateRoleDescription(c *queryCall) (any, error) {
	text := c.text("Description")
	e, err := c.accounts.UpdateRole(c.ctx, c.text("RoleName"), &text, 0)
	if err != nil {
		return nil, err
	}
	return roleResult{fullRole(e)}, nil
}

func updateAssumeRolePolicy(c *queryCall) (any, error) {
	document, err := c.need("PolicyDocument")
	if err != nil {
		return nil, err
	}
	return nil, c.accounts.UpdateTrust(c.ctx, c.text("RoleName"), document)
}

// listInstanceProfilesForRole is here for clients that ask before they delete a role; there are no machines.
func listInstanceProfilesForRole(c *queryCall) (any, error) {
	var result struct {
		InstanceProfiles struct{}
		page
	}
	_, err := c.accounts.Get(c.ctx, account.Holder{Kind: account.Role, Name: c.text("RoleName")})
	return result, err
}
