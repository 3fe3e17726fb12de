package localcloud

import (
	"sort"
	"strings"

	"tarn/account"
)

// What hangs on a user, a role or a group is the same for all three; only the parameter of the name differs.

func attachPolicy(kind account.Kind) func(c *queryCall) (any, error) {
	return func(c *queryCall) (any, error) {
		arn, err := c.need("PolicyArn")
		if err != nil {
			return nil, err
		}
		return nil, c.accounts.AttachPolicy(c.ctx, account.Holder{Kind: kind, Name: c.text(holders[kind])}, arn)
	}
}

func detachPolicy(kind account.Kind) func(c *queryCall) (any, error) {
	return func(c *queryCall) (any, error) {
		arn, err := c.need("PolicyArn")
		if err != nil {
			return nil, err
		}
		return nil, c.accounts.DetachPolicy(c.ctx, account.Holder{Kind: kind, Name: c.text(holders[kind])}, arn)
	}
}

func listAttached(kind account.Kind) func(c *queryCall) (any, error) {
	return func(c *queryCall) (any, error) {
		e, err := c.accounts.Get(c.ctx, account.Holder{Kind: kind, Name: c.text(holders[kind])})
		if err != nil {
			return nil, err
		}
		type attached struct{ PolicyName, PolicyArn string }
		list := make([]attached, 0, len(e.Attached))
		for _, arn := range e.Attached {
			path := arn[strings.IndexByte(arn, '/'):]
			if strings.HasPrefix(path, c.text("PathPrefix")) {
				list = append(list, attached{arn[strings.LastIndexByte(arn, '/')+1:], arn})
			}
		}
		sort.Slice(list, func(i, j int) bool { return list[i].PolicyArn < list[j].PolicyArn })
		list, cut, err := paged(c, list, func(a attached) string { return a.PolicyArn })
		return struct {
			AttachedPolicies members[attached]
			page
		}{members[attached]{list}, cut}, err
	}
}

func putInline(kind account.Kind) func(c *queryCall) (any, error) {
	return func(c *queryCall) (any, error) {
		name, err := c.need("PolicyName")
		if err != nil {
			return nil, err
		}
		document, err := c.need("PolicyDocument")
		if err != nil {
			return nil, err
		}
		return nil, c.accounts.PutInline(c.ctx, account.Holder{Kind: kind, Name: c.text(holders[kind])}, name, document)
	}
}

func getInline(kind account.Kind) func(c *queryCall) (any, error) {
	return func(c *queryCall) (any, error) {
		name, err := c.need("PolicyName")
		if err != nil {
			return nil, err
		}
		e, err := c.accounts.Get(c.ctx, account.Holder{Kind: kind, Name: c.text(holders[kind])})
		if err != nil {
			return nil, err
		}
		document, err := e.InlinePolicy(name)
		if err != nil {
			return nil, err
		}
		var result struct {
			UserName, RoleName, GroupName string `xml:",omitempty"`
			PolicyName, PolicyDocument    string
		}
		switch kind {
		case account.User:
			result.UserName = e.Name
		case account.Role:
			result.RoleName = e.Name
		case account.Group:
			result.GroupName = e.Name
		}
		result.PolicyName, result.PolicyDocument = name, encoded(document)
		return result, nil
	}
}

func deleteInline(kind account.Kind) func(c *queryCall) (any, error) {
	return func(c *queryCall) (any, error) {
		name, err := c.need("PolicyName")
		if err != nil {
			return nil, err
		}
		return nil, c.accounts.DeleteInline(c.ctx, account.Holder{Kind: kind, Name: c.text(holders[kind])}, name)
	}
}

func listInline(kind account.Kind) func(c *queryCall) (any, error) {
	return func(c *queryCall) (any, error) {
		e, err := c.accounts.Get(c.ctx, account.Holder{Kind: kind, Name: c.text(holders[kind])})
		if err != nil {
			return nil, err
		}
		names := make([]string, len(e.Inline))
		for i := range e.Inline {
			names[i] = e.Inline[i].Name
		}
		names, cut, err := paged(c, names, func(s string) string { return s })
		return struct {
			PolicyNames members[string]
			page
		}{members[string]{names}, cut}, err
	}
}
