package console

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"

	"tarn/api/client"
)

// choice is one entry of a picker.
type choice struct{ Value, Text string }

// picker is the things of a kind that are there, or why they cannot be listed; then a person types.
type picker struct {
	List    []choice
	Problem string
}

// choices are the pickers of the export form, and what its policies are made of.
type choices struct {
	Datastores, Buckets, Keys, Roles picker
	arns                             map[string]string // of data stores, by id
}

// choicesOf asks for everything that the form lets choose, at once. An error is that of a session that is over: what a
// person may not list can be typed.
func choicesOf(ctx context.Context, api *client.Client) (choices, error) {
	var c choices
	var err error
	var wait sync.WaitGroup
	wait.Go(func() { c.Buckets = bucketChoices(ctx, api) })
	wait.Go(func() { c.Keys = keyChoices(ctx, api) })
	wait.Go(func() { c.Roles = roleChoices(ctx, api) })
	wait.Go(func() { c.Datastores, c.arns, err = datastoreChoices(ctx, api) })
	wait.Wait()
	return c, err
}

func (p *picker) add(value, text string) { p.List = append(p.List, choice{value, text}) }

// keep makes sure that what was chosen is in the list, although it may be gone.
func (p *picker) keep(value string) {
	if value != "" && p.Problem == "" && !slices.ContainsFunc(p.List, func(c choice) bool { return c.Value == value }) {
		p.add(value, value)
	}
}

// failed says why there is nothing to choose from.
func (p *picker) failed(err error) picker { p.Problem = problemOf(err).Text; return *p }

// arn is a data store's ARN; where it could not be looked up, it follows from the id.
func (c choices) arn(id, account, region string) string {
	if known := c.arns[id]; known != "" || id == "" {
		return known
	}
	return "arn:aws:healthlake:" + region + ":" + account + ":datastore/fhir/" + id
}

// datastoreChoices are the data stores that can be exported, now or soon, and the ARNs of all.
func datastoreChoices(ctx context.Context, api *client.Client) (p picker, arns map[string]string, err error) {
	all, err := api.ListDatastores(ctx)
	if sessionOver(err) {
		return p, nil, err
	}
	if err != nil {
		return p.failed(err), nil, nil
	}
	arns = map[string]string{}
	for _, d := range all {
		arns[d.DatastoreId] = d.DatastoreArn
		if d.DatastoreStatus == deleted || d.DatastoreStatus == "DELETING" || d.DatastoreStatus == "CREATE_FAILED" {
			continue
		}
		text := d.DatastoreId
		if d.DatastoreName != "" {
			text = d.DatastoreName + " (" + short(d.DatastoreId) + ")"
		}
		if d.DatastoreStatus != "ACTIVE" {
			text += ": " + strings.ToLower(words(d.DatastoreStatus))
		}
		p.add(d.DatastoreId, text)
	}
	return p, arns, nil
}

func bucketChoices(ctx context.Context, api *client.Client) (p picker) {
	names, err := api.ListBuckets(ctx)
	if err != nil {
		return p.failed(err)
	}
	for _, name := range names {
		p.add(name, name)
	}
	return p
}

// keyChoices are the customer's own keys, called by their aliases where they have one.
func keyChoices(ctx context.Context, api *client.Client) (p picker) {
	keys, err := api.ListKeys(ctx)
	if err != nil {
		return p.failed(err)
	}
	called := aliases(ctx, api)
	for _, k := range keys {
		if k.KeyManager == "AWS" {
			continue
		}
		text := cmp.Or(called[k.KeyId], k.Description, "Key")
		text += " (" + short(k.KeyId) + ")"
		if k.KeyState != "Enabled" {
			text += ": " + strings.ToLower(k.KeyState)
		}
		p.add(k.Arn, text)
	}
	slices.SortStableFunc(p.List, func(a, b choice) int { return strings.Compare(a.Text, b.Text) })
	return p
}

// aliases are the names of keys, by id, as far as the caller may see them.
func aliases(ctx context.Context, api *client.Client) map[string]string {
	names := map[string]string{}
	for marker := ""; ; {
		in := map[string]any{}
		if marker != "" {
			in["Marker"] = marker
		}
		var out struct {
			Aliases    []struct{ AliasName, TargetKeyId string }
			NextMarker string
		}
		if err := api.KMS(ctx, "ListAliases", in, &out); err != nil {
			return names
		}
		for _, a := range out.Aliases {
			if names[a.TargetKeyId] == "" {
				names[a.TargetKeyId] = strings.TrimPrefix(a.AliasName, "alias/")
			}
		}
		if marker = out.NextMarker; marker == "" {
			return names
		}
	}
}

func roleChoices(ctx context.Context, api *client.Client) (p picker) {
	roles, err := api.ListRoles(ctx)
	if err != nil {
		return p.failed(err)
	}
	for _, r := range roles {
		if strings.Contains(r.Arn, ":role/aws-service-role/") {
			continue
		}
		p.add(r.Arn, r.RoleName)
	}
	slices.SortStableFunc(p.List, func(a, b choice) int { return strings.Compare(a.Text, b.Text) })
	return p
}
