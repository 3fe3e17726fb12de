package localcloud

import "tarn/account"

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
