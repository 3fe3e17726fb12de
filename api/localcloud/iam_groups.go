package localcloud

import (
	"strings"
	"time"

	"tarn/account"
)

type groupXML struct {
	Path, GroupName, GroupId, Arn string
	CreateDate                    time.Time
}

func group(e *account.Entity) groupXML { return groupXML{e.Path, e.Name, e.ID, e.ARN, e.Created} }

// pagedEntities cuts a page; the store sorts by names in lower case.
func pagedEntities(c *queryCall, list []*account.Entity) ([]*account.Entity, page, error) {
	return paged(c, list, func(e *account.Entity) string { return strings.ToLower(e.Name) })
}

func createGroup(c *queryCall) (any, error) {
	e, err := c.accounts.Create(c.ctx, account.NewEntity{Kind: account.Group, Name: c.text("GroupName"), Path: c.text("Path")})
	if err != nil {
		return nil, err
	}
	return struct{ Group groupXML }{group(e)}, nil
}

func getGroup(c *queryCall) (any, error) {
	e, err := c.accounts.Get(c.ctx, account.Holder{Kind: account.Group, Name: c.text("GroupName")})
	if err != nil {
		return nil, err
	}
	users, err := c.accounts.Members(c.ctx, e.Name)
	if err != nil {
		return nil, err
	}
	users, cut, err := pagedEntities(c, users)
	var result struct {
		Group groupXML
		Users members[userXML]
		page
	}
	result.Group, result.page = group(e), cut
	for _, u := range users {
		result.Users.Member = append(result.Users.Member, briefUser(u))
	}
	return result, err
}

type groupsResult struct {
	Groups members[groupXML]
	page
}

func groupsPage(c *queryCall, list []*account.Entity) (any, error) {
	list, cut, err := pagedEntities(c, list)
	result := groupsResult{page: cut}
	for _, e := range list {
		result.Groups.Member = append(result.Groups.Member, group(e))
	}
	return result, err
}

func listGroups(c *queryCall) (any, error) {
	list, err := c.accounts.List(c.ctx, account.Group, c.text("PathPrefix"))
	if err != nil {
		return nil, err
	}
	return groupsPage(c, list)
}

func listGroupsForUser(c *queryCall) (any, error) {
	list, err := c.accounts.GroupsOf(c.ctx, c.text("UserName"))
	if err != nil {
		return nil, err
	}
	return groupsPage(c, list)
}

func addUserToGroup(c *queryCall) (any, error) {
	user, err := c.need("UserName")
	if err != nil {
		return nil, err
	}
	return nil, c.accounts.AddToGroup(c.ctx, user, c.text("GroupName"))
}

func removeUserFromGroup(c *queryCall) (any, error) {
	user, err := c.need("UserName")
	if err != nil {
		return nil, err
	}
	return nil, c.accounts.RemoveFromGroup(c.ctx, user, c.text("GroupName"))
}
