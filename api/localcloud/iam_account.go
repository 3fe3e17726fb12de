package localcloud

import (
	"strconv"
	"strings"

	"tarn/access"
	"tarn/account"
	"tarn/api/edge"
	"tarn/fault"
)

func getAccountSummary(c *queryCall) (any, error) {
	n, err := c.accounts.Census(c.ctx)
	if err != nil {
		return nil, err
	}
	type count struct {
		Key   string `xml:"key"`
		Value int    `xml:"value"`
	}
	var result struct {
		SummaryMap struct {
			Entry []count `xml:"entry"`
		}
	}
	result.SummaryMap.Entry = []count{
		{"AccessKeysPerUserQuota", account.MaxKeys}, {"AccountAccessKeysPresent", n.RootKeys}, {"AccountMFAEnabled", 0},
		{"AttachedPoliciesPerGroupQuota", account.MaxAttached}, {"AttachedPoliciesPerRoleQuota", account.MaxAttached},
		{"AttachedPoliciesPerUserQuota", account.MaxAttached}, {"Groups", n.Groups}, {"GroupsPerUserQuota", account.MaxUserGroups},
		{"GroupsQuota", account.MaxGroups}, {"Policies", n.Policies}, {"PoliciesQuota", account.MaxPolicies}, {"PolicyVersionsInUse", n.InUse},
		{"Roles", n.Roles}, {"RolesQuota", account.MaxRoles}, {"Users", n.Users}, {"UsersQuota", account.MaxUsers},
		{"VersionsPerPolicyQuota", account.MaxVersions},
	}
	return result, nil
}

func listAccountAliases(*queryCall) (any, error) {
	var result struct {
		AccountAliases struct{}
		page
	}
	return result, nil
}

// simulatePrincipalPolicy answers what a user or role could do, by its own policies.
func simulatePrincipalPolicy(c *queryCall) (any, error) {
	source := c.text("PolicySourceArn")
	rest, ok := strings.CutPrefix(source, c.accounts.ARN(""))
	kind, path, hasPath := strings.Cut(rest, "/")
	if !ok || !hasPath || kind != "user" && kind != "role" {
		return nil, edge.WithCode("InvalidInput", fault.Errorf(fault.Invalid, "iam", "Invalid Entity Arn: %s does not clearly define entity type and name.", brief(source)))
	}
	e, err := c.accounts.Get(c.ctx, account.Holder{Kind: account.Kind(kind), Name: path[strings.LastIndexByte(path, '/')+1:]})
	if err != nil {
		return nil, err
	}
	principal := c.accounts.PrincipalOf(e)
	grant, err := c.accounts.Grant(c.ctx, principal)
	if err != nil {
		return nil, err
	}
	actions, resources := c.list("ActionNames"), c.list("ResourceArns")
	if len(actions) == 0 {
		_, err := c.need("ActionNames")
		return nil, err
	}
	if len(resources) == 0 {
		resources = []string{"*"}
	}
	type evaluation struct {
		EvalActionName, EvalResourceName, EvalDecision string
		MatchedStatements                              members[struct{ SourcePolicyId string }]
		MissingContextValues                           struct{}
	}
	var result struct {
		page
		EvaluationResults members[evaluation]
	}
	context := simulated(c)
	for _, action := range actions {
		if !strings.Contains(action, ":") {
			return nil, edge.WithCode("InvalidInput", fault.Errorf(fault.Invalid, "iam", "Invalid Action Name: %s", brief(action)))
		}
		for _, resource := range resources {
			r := &access.Request{Principal: principal, Action: action, Resource: resource, When: c.When, Context: context}
			d := access.Decide(r, grant, nil)
			one := evaluation{EvalActionName: action, EvalResourceName: resource}
			one.EvalDecision = map[access.Effect]string{access.Allow: "allowed", access.ExplicitDeny: "explicitDeny", access.ImplicitDeny: "implicitDeny"}[d.Effect]
			if d.By != "" {
				one.MatchedStatements.Member = append(one.MatchedStatements.Member, struct{ SourcePolicyId string }{d.By})
			}
			result.EvaluationResults.Member = append(result.EvaluationResults.Member, one)
		}
	}
	return result, nil
}

// simulated is the context that the caller wants to be supposed.
func simulated(c *queryCall) (context access.Context) {
	for i := 1; ; i++ {
		at := "ContextEntries.member." + strconv.Itoa(i)
		key := c.text(at + ".ContextKeyName")
		if key == "" {
			return context
		}
		context.Set(key, c.list(at+".ContextKeyValues")...)
	}
}
