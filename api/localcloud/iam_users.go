package localcloud

import (
	"time"

	"tarn/account"
)

// tagXML, boundaryXML and userXML are the shapes of IAM's model.
type tagXML struct{ Key, Value string }

type boundaryXML struct {
	PermissionsBoundaryType string
	PermissionsBoundaryArn  string
}

type userXML struct {
	Path, UserName, UserId, Arn string
	CreateDate                  time.Time
	PermissionsBoundary         *boundaryXML
	Tags                        *members[tagXML]
}

func tagsXML(tags []account.Tag) *members[tagXML] {
	if len(tags) == 0 {
		return nil
	}
	list := &members[tagXML]{}
	for _, t := range tags {
		list.Member = append(list.Member, tagXML{t.Key, t.Value})
	}
	return list
}

func boundary(arn string) *boundaryXML {
	if arn == "" {
		return nil
	}
	return &boundaryXML{"PermissionsBoundaryPolicy", arn}
}

// briefUser is a user as lists show it: without tags and boundary.
func briefUser(e *account.Entity) userXML {
	return userXML{Path: e.Path, UserName: e.Name, UserId: e.ID, Arn: e.ARN, CreateDate: e.Created}
}

func fullUser(e *account.Entity) userXML {
	u := briefUser(e)
	u.PermissionsBoundary, u.Tags = boundary(e.Boundary), tagsXML(e.Tags)
	return u
}

type userResult struct{ User userXML }

func createUser(c *queryCall) (any, error) {
	tags, err := c.tags()
	if err != nil {
		return nil, err
	}
	e, err := c.accounts.Create(c.ctx, account.NewEntity{Kind: account.User, Name: c.text("UserName"), Path: c.text("Path"),
		Tags: tags, Boundary: c.text("PermissionsBoundary")})
	if err != nil {
		return nil, err
	}
	return userResult{fullUser(e)}, nil
}

func getUser(c *queryCall) (any, error) {
	name, err := self(c)
	if err != nil {
		return nil, err
	}
	if name == "" { // the root sees itself as a user without a name
		founded, err := c.accounts.Founded(c.ctx)
		return userResult{userXML{Path: "/", UserId: c.Principal.UserID, Arn: c.Principal.ARN, CreateDate: founded}}, err
	}
	e, err := c.accounts.Get(c.ctx, account.Holder{Kind: account.User, Name: name})
	if err != nil {
		return nil, err
	}
	return userResult{fullUser(e)}, nil
}

func listUsers(c *queryCall) (any, error) {
	list, err := c.accounts.List(c.ctx, account.User, c.text("PathPrefix"))
	if err != nil {
		return nil, err
	}
	list, cut, err := pagedEntities(c, list)
	var result struct {
		Users members[userXML]
		page
	}
	result.page = cut
	for _, e := range list {
		result.Users.Member = append(result.Users.Member, briefUser(e))
	}
	return result, err
}

// renameEntity is UpdateUser and UpdateGroup: the caller needs the right on both names.
func renameEntity(kind account.Kind) func(c *queryCall) (any, error) {
	return func(c *queryCall) (any, error) {
		h, err := holder(c, kind)
		if err != nil {
			return nil, err
		}
		name, path := c.text("New"+holders[kind]), c.text("NewPath")
		e, err := c.accounts.Get(c.ctx, h)
		if err != nil {
			return nil, err
		}
		to, at := name, path
		if to == "" {
			to = e.Name
		}
		if at == "" {
			at = e.Path
		}
		if err := c.Authorize("iam:"+c.action, c.accounts.ARN(string(kind)+at+to)); err != nil {
			return nil, err
		}
		return nil, c.accounts.Rename(c.ctx, h, name, path)
	}
}

func deleteEntity(kind account.Kind) func(c *queryCall) (any, error) {
	return func(c *queryCall) (any, error) {
		h, err := holder(c, kind)
		if err != nil {
			return nil, err
		}
		return nil, c.accounts.Delete(c.ctx, h)
	}
}

func tagEntity(kind account.Kind) func(c *queryCall) (any, error) {
	return func(c *queryCall) (any, error) {
		h, err := holder(c, kind)
		if err != nil {
			return nil, err
		}
		tags, err := c.tags()
		if err != nil {
			return nil, err
		}
		return nil, c.accounts.Tag(c.ctx, h, tags)
	}
}

func untagEntity(kind account.Kind) func(c *queryCall) (any, error) {
	return func(c *queryCall) (any, error) {
		h, err := holder(c, kind)
		if err != nil {
			return nil, err
		}
		keys, err := c.list("TagKeys", account.MaxTags)
		if err != nil {
			return nil, err
		}
		return nil, c.accounts.Untag(c.ctx, h, keys)
	}
}

type tagsResult struct {
	Tags members[tagXML]
	page
}

func listEntityTags(kind account.Kind) func(c *queryCall) (any, error) {
	return func(c *queryCall) (any, error) {
		h, err := holder(c, kind)
		if err != nil {
			return nil, err
		}
		e, err := c.accounts.Get(c.ctx, h)
		if err != nil {
			return nil, err
		}
		return tagsPage(e.Tags), nil
	}
}

func tagsPage(tags []account.Tag) (r tagsResult) {
	if list := tagsXML(tags); list != nil {
		r.Tags = *list
	}
	return r
}

func putBoundary(kind account.Kind) func(c *queryCall) (any, error) {
	return func(c *queryCall) (any, error) {
		h, err := holder(c, kind)
		if err != nil {
			return nil, err
		}
		arn, err := c.need("PermissionsBoundary")
		if err != nil {
			return nil, err
		}
		return nil, c.accounts.SetBoundary(c.ctx, h, arn)
	}
}

func deleteBoundary(kind account.Kind) func(c *queryCall) (any, error) {
	return func(c *queryCall) (any, error) {
		h, err := holder(c, kind)
		if err != nil {
			return nil, err
		}
		return nil, c.accounts.SetBoundary(c.ctx, h, "")
	}
}
