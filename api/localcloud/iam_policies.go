package localcloud

import (
	"sort"
	"strings"
	"time"

	"tarn/account"
	"tarn/api/edge"
	"tarn/fault"
)

type policyXML struct {
	PolicyName, PolicyId, Arn, Path, DefaultVersionId string
	AttachmentCount, PermissionsBoundaryUsageCount    int
	IsAttachable                                      bool
	Description                                       string `xml:",omitempty"`
	CreateDate, UpdateDate                            time.Time
	Tags                                              *members[tagXML]
}

type policyResult struct{ Policy policyXML }

func briefPolicy(p *account.Policy, attached, bounding int) policyXML {
	return policyXML{PolicyName: p.Name, PolicyId: p.ID, Arn: p.ARN, Path: p.Path, DefaultVersionId: p.Default, AttachmentCount: attached,
		PermissionsBoundaryUsageCount: bounding, IsAttachable: true, CreateDate: p.Created, UpdateDate: p.Updated}
}

func fullPolicy(p *account.Policy, attached, bounding int) policyXML {
	x := briefPolicy(p, attached, bounding)
	x.Description, x.Tags = p.Description, tagsXML(p.Tags)
	return x
}

func createPolicy(c *queryCall) (any, error) {
	document, err := c.need("PolicyDocument")
	if err != nil {
		return nil, err
	}
	tags, err := c.tags()
	if err != nil {
		return nil, err
	}
	p, err := c.accounts.CreatePolicy(c.ctx, account.Policy{Name: c.text("PolicyName"), Path: c.text("Path"), Description: c.text("Description"), Tags: tags}, document)
	if err != nil {
		return nil, err
	}
	x := fullPolicy(p, 0, 0)
	x.Description = "" // as AWS does
	return policyResult{x}, nil
}

func getPolicy(c *queryCall) (any, error) {
	p, err := c.accounts.ManagedPolicy(c.ctx, c.text("PolicyArn"))
	if err != nil {
		return nil, err
	}
	uses, err := c.accounts.Uses(c.ctx, p.ARN)
	if err != nil {
		return nil, err
	}
	return policyResult{fullPolicy(p, len(uses.Attached), len(uses.Bounding))}, nil
}

func listPolicies(c *queryCall) (any, error) {
	scope := c.text("Scope")
	if scope != "" && scope != "All" && scope != "AWS" && scope != "Local" {
		return nil, edge.WithCode("ValidationError", fault.Errorf(fault.Invalid, "iam",
			"1 validation error detected: Value '%s' at 'scope' failed to satisfy constraint: Member must satisfy enum value set: [All, AWS, Local]", brief(scope)))
	}
	var list []*account.Policy
	var err error
	if scope != "AWS" {
		if list, err = c.accounts.Policies(c.ctx); err != nil {
			return nil, err
		}
	}
	if scope != "Local" {
		list = append(list, account.ManagedPolicies()...)
	}
	census, err := c.accounts.Census(c.ctx)
	if err != nil {
		return nil, err
	}
	usage := c.text("PolicyUsageFilter")
	kept := list[:0:0]
	for _, p := range list {
		switch {
		case !strings.HasPrefix(p.Path, c.text("PathPrefix")):
		case c.text("OnlyAttached") == "true" && census.Attached[p.ARN]+census.Bounding[p.ARN] == 0:
		case usage == "PermissionsPolicy" && census.Attached[p.ARN] == 0:
		case usage == "PermissionsBoundary" && census.Bounding[p.ARN] == 0:
		default:
			kept = append(kept, p)
		}
	}
	// By ARN: two policies may have one name, AWS's and the customer's.
	sort.Slice(kept, func(i, j int) bool { return kept[i].ARN < kept[j].ARN })
	kept, cut, err := paged(c, kept, func(p *account.Policy) string { return p.ARN })
	var result struct {
		Policies members[policyXML]
		page
	}
	result.page = cut
	for _, p := range kept {
		result.Policies.Member = append(result.Policies.Member, briefPolicy(p, census.Attached[p.ARN], census.Bounding[p.ARN]))
	}
	return result, err
}

func deletePolicy(c *queryCall) (any, error) {
	return nil, c.accounts.DeletePolicy(c.ctx, c.text("PolicyArn"))
}

type versionXML struct {
	Document         string `xml:",omitempty"`
	VersionId        string
	IsDefaultVersion bool
	CreateDate       time.Time
}

type versionResult struct{ PolicyVersion versionXML }

func createPolicyVersion(c *queryCall) (any, error) {
	document, err := c.need("PolicyDocument")
	if err != nil {
		return nil, err
	}
	isDefault := c.text("SetAsDefault") == "true"
	v, err := c.accounts.CreatePolicyVersion(c.ctx, c.text("PolicyArn"), document, isDefault)
	if err != nil {
		return nil, err
	}
	return versionResult{versionXML{VersionId: v.ID, IsDefaultVersion: isDefault, CreateDate: v.Created}}, nil
}

func getPolicyVersion(c *queryCall) (any, error) {
	id, err := c.need("VersionId")
	if err != nil {
		return nil, err
	}
	p, err := c.accounts.ManagedPolicy(c.ctx, c.text("PolicyArn"))
	if err != nil {
		return nil, err
	}
	v, err := p.Version(id)
	if err != nil {
		return nil, err
	}
	return versionResult{versionXML{encoded(v.Document), v.ID, v.ID == p.Default, v.Created}}, nil
}

func listPolicyVersions(c *queryCall) (any, error) {
	p, err := c.accounts.ManagedPolicy(c.ctx, c.text("PolicyArn"))
	if err != nil {
		return nil, err
	}
	var result struct {
		Versions members[versionXML]
		page
	}
	for i := len(p.Versions) - 1; i >= 0; i-- {
		v := &p.Versions[i]
		result.Versions.Member = append(result.Versions.Member, versionXML{"", v.ID, v.ID == p.Default, v.Created})
	}
	return result, nil
}

func deletePolicyVersion(c *queryCall) (any, error) {
	id, err := c.need("VersionId")
	if err != nil {
		return nil, err
	}
	return nil, c.accounts.DeletePolicyVersion(c.ctx, c.text("PolicyArn"), id)
}

func setDefaultPolicyVersion(c *queryCall) (any, error) {
	id, err := c.need("VersionId")
	if err != nil {
		return nil, err
	}
	return nil, c.accounts.SetDefaultPolicyVersion(c.ctx, c.text("PolicyArn"), id)
}

func tagPolicy(c *queryCall) (any, error) {
	tags, err := c.tags()
	if err != nil {
		return nil, err
	}
	return nil, c.accounts.TagPolicy(c.ctx, c.text("PolicyArn"), tags, nil)
}

func untagPolicy(c *queryCall) (any, error) {
	keys, err := c.list("TagKeys", account.MaxTags)
	if err != nil {
		return nil, err
	}
	return nil, c.accounts.TagPolicy(c.ctx, c.text("PolicyArn"), nil, keys)
}

func listPolicyTags(c *queryCall) (any, error) {
	p, err := c.accounts.ManagedPolicy(c.ctx, c.text("PolicyArn"))
	if err != nil {
		return nil, err
	}
	return tagsPage(p.Tags), nil
}

func listEntitiesForPolicy(c *queryCall) (any, error) {
	uses, err := c.accounts.Uses(c.ctx, c.text("PolicyArn"))
	if err != nil {
		return nil, err
	}
	type userName struct{ UserName, UserId string }
	type roleName struct{ RoleName, RoleId string }
	type groupName struct{ GroupName, GroupId string }
	var result struct {
		PolicyGroups members[groupName]
		PolicyUsers  members[userName]
		PolicyRoles  members[roleName]
		page
	}
	list := uses.Attached
	if c.text("PolicyUsageFilter") == "PermissionsBoundary" {
		list = uses.Bounding
	}
	filter := c.text("EntityFilter")
	wants := func(word string) bool { return filter == "" || filter == word }
	for _, e := range list {
		if !strings.HasPrefix(e.Path, c.text("PathPrefix")) {
			continue
		}
		switch {
		case e.Kind == account.User && wants("User"):
			result.PolicyUsers.Member = append(result.PolicyUsers.Member, userName{e.Name, e.ID})
		case e.Kind == account.Role && wants("Role"):
			result.PolicyRoles.Member = append(result.PolicyRoles.Member, roleName{e.Name, e.ID})
		case e.Kind == account.Group && wants("Group"):
			result.PolicyGroups.Member = append(result.PolicyGroups.Member, groupName{e.Name, e.ID})
		}
	}
	return result, nil
}
