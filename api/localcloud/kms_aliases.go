package localcloud

type aliasRequest struct{ AliasName, TargetKeyID string }

func (c *kmsCall) aliasRequest() (aliasRequest, error) {
	var in struct {
		AliasName   string
		TargetKeyID string `json:"TargetKeyId"`
	}
	err := c.read(&in)
	return aliasRequest{in.AliasName, in.TargetKeyID}, err
}

func (c *kmsCall) createAlias() (any, error) {
	in, err := c.aliasRequest()
	if err != nil {
		return nil, err
	}
	return nil, c.s.CreateAlias(c.r.Context(), in.AliasName, in.TargetKeyID)
}

func (c *kmsCall) updateAlias() (any, error) {
	in, err := c.aliasRequest()
	if err != nil {
		return nil, err
	}
	return nil, c.s.UpdateAlias(c.r.Context(), in.AliasName, in.TargetKeyID)
}

func (c *kmsCall) deleteAlias() (any, error) {
	in, err := c.aliasRequest()
	if err != nil {
		return nil, err
	}
	return nil, c.s.DeleteAlias(c.r.Context(), in.AliasName)
}

func (c *kmsCall) listAliases() (any, error) {
	var in struct {
		kmsPage
		KeyID string `json:"KeyId"`
	}
	if err := c.read(&in); err != nil {
		return nil, err
	}
	limit, err := in.limit(50, 100)
	if err != nil {
		return nil, err
	}
	list, next, err := c.s.ListAliases(c.r.Context(), in.KeyID, in.Marker, limit)
	if err != nil {
		return nil, err
	}
	type entry struct {
		AliasName, AliasArn           string
		TargetKeyID                   string `json:"TargetKeyId"`
		CreationDate, LastUpdatedDate kmsTime
	}
	out := struct {
		Aliases    []entry
		NextMarker string `json:",omitempty"`
		Truncated  bool
	}{[]entry{}, next, next != ""}
	for _, a := range list {
		out.Aliases = append(out.Aliases, entry{a.Name, a.ARN, a.Target, kmsTime(a.Created), kmsTime(a.Updated)})
	}
	return out, nil
}
