package localcloud

import (
	"strconv"
	"strings"

	"tarn/access"
	"tarn/account"
	"tarn/api/edge"
	"tarn/fault"
)

// Bounds of one simulation: of its decisions, and of the condition keys that it supposes and of their values.
const (
	maxSimulated = 1000
	maxSupposed  = 100
)

// simulatePrincipalPolicy answers what a user or role could do, by its own policies.
func simulatePrincipalPolicy(c *queryCall) (any, error) {
	source := c.text("PolicySourceArn")
	rest, ok := strings.CutPrefix(source, c.accounts.ARN(""))
	kind, path, hasPath := strings.Cut(rest, "/")
	if !ok || !hasPath || kind != "user" && kind != "role" {
		return nil, edge.WithCode("InvalidInput", fault.Errorf(fault.Invalid, "iam", "Invalid Entity Arn: %s does not clearly define entity type and name.", brief(source)))
	}
	e, err := c.accounts.Get(c.ctx, account.Holder{Kind: account.Kind(kind), Name: path[strings.LastIndexByte(path, '/')+1:]})
	if err == nil && e.ARN != source { // the right to ask is given on the ARN, so the ARN must be all of it
		err = edge.WithCode("NoSuchEntity", fault.Errorf(fault.NotFound, "iam", "The entity %s cannot be found.", brief(source)))
	}
	if err != nil {
		return nil, err
	}
	principal := c.accounts.PrincipalOf(e)
	grant, err := c.accounts.Grant(c.ctx, principal)
	if err != nil {
		return nil, err
	}
	actions, err := c.list("ActionNames", maxSimulated)
	if err != nil {
		return nil, err
	}
	resources, err := c.list("ResourceArns", maxSimulated)
	if err != nil {
		return nil, err
	}
	context, err := simulated(c)
	if err != nil {
		return nil, err
	}
	if len(actions) == 0 {
		_, err := c.need("ActionNames")
		return nil, err
	}
	if len(resources) == 0 {
		resources = []string{"*"}
	}
	if len(actions)*len(resources) > maxSimulated {
		return nil, tooMany("ActionNames", maxSimulated/len(resources))
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
func simulated(c *queryCall) (context access.Context, err error) {
	for i := 1; ; i++ {
		at := "ContextEntries.member." + strconv.Itoa(i)
		key := c.text(at + ".ContextKeyName")
		if key == "" {
			return context, nil
		}
		if i > maxSupposed {
			return context, tooMany("ContextEntries", maxSupposed)
		}
		values, err := c.list(at+".ContextKeyValues", maxSupposed)
		if err != nil {
			return context, err
		}
		context.Set(key, values...)
	}
}
