package console

import (
	"context"
	"fmt"
	"net/url"

	"tarn/api/client"
	"tarn/fault"
)

// provision makes what the form asks to be made: key, bucket, role, in the order in which they need each other. What is
// made becomes what is chosen, so that a form that comes back after a failure does not make it twice; made says so in
// sentences.
func provision(ctx context.Context, api *client.Client, f *exportForm, account, datastoreARN string) (made []string, field string, err error) {
	if f.Key.New() {
		if err := makeKey(ctx, api, &f.Key); err != nil {
			return made, "key", err
		}
		made = append(made, fmt.Sprintf("The KMS key %s was created.", f.Key.Name))
	}
	if f.Bucket.New() {
		done, err := makeBucket(ctx, api, &f.Bucket, f.Key.Chosen)
		if done {
			made = append(made, fmt.Sprintf("The bucket %s was created.", f.Bucket.Name))
		}
		if err != nil {
			return made, "bucket", err
		}
	}
	if f.Role.New() {
		trust, permission := client.TrustPolicy(account, datastoreARN), client.ExportPolicy(f.Bucket.Chosen, f.Key.Chosen)
		done, err := makeRole(ctx, api, &f.Role, trust, permission)
		if done {
			made = append(made, fmt.Sprintf("The IAM role %s was created.", f.Role.Name))
		}
		if err != nil {
			return made, "role", err
		}
	}
	return made, "", nil
}

// makeKey makes a customer managed key with an alias.
func makeKey(ctx context.Context, api *client.Client, p *pick) error {
	if err := keyIsFree(ctx, api, p.Name); err != nil {
		return err
	}
	key, err := api.CreateKey(ctx, "Output encryption of exports: "+p.Name)
	if err != nil {
		return err
	}
	p.Mode, p.Chosen = existing, key.Arn
	return api.KMS(ctx, "CreateAlias", map[string]string{"AliasName": "alias/" + p.Name, "TargetKeyId": key.KeyId}, nil)
}

// makeBucket makes a bucket as exports want it: no public access, and the key as its default encryption.
func makeBucket(ctx context.Context, api *client.Client, p *pick, keyARN string) (done bool, err error) {
	if err := bucketIsFree(ctx, api, p.Name); err != nil { // creating one's own bucket again is no error in us-east-1
		return false, err
	}
	if err := api.CreateBucket(ctx, p.Name); err != nil {
		return false, err
	}
	p.Mode, p.Chosen = existing, p.Name
	if err := api.BlockPublicAccess(ctx, p.Name); err != nil {
		return true, err
	}
	return true, api.EncryptBucket(ctx, p.Name, keyARN)
}

// makeRole makes a role with the policies that were shown: first the permission policy, since a policy that nothing
// uses can be taken back without a trace.
func makeRole(ctx context.Context, api *client.Client, p *pick, trust, permission string) (done bool, err error) {
	if err := roleIsFree(ctx, api, p.Name); err != nil {
		return false, err
	}
	policyARN, err := api.CreatePolicy(ctx, policyName(p.Name), permission)
	if err != nil {
		return false, err
	}
	role, err := api.CreateRole(ctx, p.Name, trust)
	if err != nil {
		_ = api.IAM(ctx, "DeletePolicy", url.Values{"PolicyArn": {policyARN}}, nil) // the first error is the one to tell
		return false, err
	}
	p.Mode, p.Chosen = existing, role.Arn
	return true, api.AttachRolePolicy(ctx, p.Name, policyARN)
}

func keyIsFree(ctx context.Context, api *client.Client, alias string) error {
	_, err := api.DescribeKey(ctx, "alias/"+alias)
	return isFree(err, "There is a key with the alias %s already.", alias)
}

func bucketIsFree(ctx context.Context, api *client.Client, name string) error {
	there, err := api.BucketExists(ctx, name)
	if err == nil && !there {
		return nil
	}
	return isFree(err, "There is a bucket %s already.", name)
}

func roleIsFree(ctx context.Context, api *client.Client, name string) error {
	_, err := api.GetRole(ctx, name)
	return isFree(err, "There is an IAM role %s already.", name)
}

// isFree judges the look for a name: to find nothing is what is wanted; who may not look finds out on creating.
func isFree(err error, format, name string) error {
	switch {
	case err == nil:
		return fault.WithHint(fault.Errorf(fault.Exists, "console", format, name), "Choose it above, or give the new one another name.")
	case fault.Is(err, fault.NotFound) || fault.Is(err, fault.Denied):
		return nil
	}
	return err
}

// taken are the names of things to be made that are not free.
func taken(ctx context.Context, api *client.Client, f exportForm) (notes []note) {
	look := func(p pick, field string, free func(context.Context, *client.Client, string) error) {
		if !p.New() {
			return
		}
		if err := free(ctx, api, p.Name); err != nil {
			notes = append(notes, noteOf(field, err))
		}
	}
	look(f.Bucket, "bucket", bucketIsFree)
	look(f.Key, "key", keyIsFree)
	look(f.Role, "role", roleIsFree)
	return notes
}

// noteOf is an error as a note about a field.
func noteOf(field string, err error) note {
	p := problemOf(err)
	return note{Field: field, Problem: p.Text, Remedy: p.Hint}
}
