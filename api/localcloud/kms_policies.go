package localcloud

// onlyPolicy is the name of the one policy that a key has.
const onlyPolicy = "default"

type policyRequest struct {
	KeyID                          string `json:"KeyId"`
	PolicyName                     string
	Policy                         string
	BypassPolicyLockoutSafetyCheck bool
}

func (c *kmsCall) policyRequest() (policyRequest, error) {
	var in policyRequest
	if err := c.read(&in); err != nil {
		return in, err
	}
	if in.PolicyName != "" && in.PolicyName != onlyPolicy {
		return in, kmsInvalid("NotFoundException", "No such policy exists: a key has the policy %s only", onlyPolicy)
	}
	return in, nil
}

func (c *kmsCall) getKeyPolicy() (any, error) {
	in, err := c.policyRequest()
	if err != nil {
		return nil, err
	}
	text, err := c.s.KeyPolicy(c.r.Context(), in.KeyID)
	if err != nil {
		return nil, err
	}
	return struct{ Policy, PolicyName string }{text, onlyPolicy}, nil
}

func (c *kmsCall) putKeyPolicy() (any, error) {
	in, err := c.policyRequest()
	if err != nil {
		return nil, err
	}
	return nil, c.s.PutKeyPolicy(c.r.Context(), in.KeyID, in.Policy, in.BypassPolicyLockoutSafetyCheck)
}

func (c *kmsCall) listKeyPolicies() (any, error) {
	id, err := c.keyID()
	if err != nil {
		return nil, err
	}
	if err := c.s.CheckListKeyPolicies(c.r.Context(), id); err != nil {
		return nil, err
	}
	return struct {
		PolicyNames []string
		Truncated   bool
	}{[]string{onlyPolicy}, false}, nil
}

func (c *kmsCall) listResourceTags() (any, error) {
	id, err := c.keyID()
	if err != nil {
		return nil, err
	}
	tags, err := c.s.KeyTags(c.r.Context(), id)
	if err != nil {
		return nil, err
	}
	out := struct {
		Tags      []jsonTag
		Truncated bool
	}{Tags: []jsonTag{}}
	for _, t := range tags {
		out.Tags = append(out.Tags, jsonTag{t.Key, t.Value})
	}
	return out, nil
}

func (c *kmsCall) tagResource() (any, error) {
	var in struct {
		KeyID string `json:"KeyId"`
		Tags  []jsonTag
	}
	if err := c.read(&in); err != nil {
		return nil, err
	}
	return nil, c.s.TagKey(c.r.Context(), in.KeyID, tagsIn(in.Tags))
}

func (c *kmsCall) untagResource() (any, error) {
	var in struct {
		KeyID   string `json:"KeyId"`
		TagKeys []string
	}
	if err := c.read(&in); err != nil {
		return nil, err
	}
	return nil, c.s.UntagKey(c.r.Context(), in.KeyID, in.TagKeys)
}
