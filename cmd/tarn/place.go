package main

import (
	"context"
	"strings"

	"tarn/api/client"
	"tarn/fault"
)

// placeFlags name what a job writes to and with whose rights. What is not named has a name of Tarn's own.
type placeFlags struct {
	Bucket string `help:"Bucket (default: tarn-JOB-ACCOUNT-REGION)." placeholder:"B" group:"Where to"`
	KmsKey string `name:"kms-key" help:"KMS key that seals the files: id, ARN or alias (default: alias/tarn-JOB)." placeholder:"K" group:"Where to"`
	Role   string `help:"Data access role: name or ARN (default: tarn-JOB-DATASTORE)." placeholder:"R" group:"Where to"`
	Create bool   `help:"Make what is not there: bucket with public access blocked and encryption by the key, key, role." group:"Where to"`
}

// place is a bucket, a key and a role that are there.
type place struct {
	Bucket string `json:"bucket"`
	Key    string `json:"kmsKeyId"` // ARN
	Role   string `json:"roleArn"`
	made   []string
}

// builder finds, or makes, the parts of a place.
type builder struct {
	api     *client.Client
	flags   placeFlags
	kind    string // of the job: export, import
	store   client.Datastore
	account string
	policy  func(bucket, keyARN string) string // what the role needs
	made    []string
}

// prepare finds the place that the flags name. What is not there is made with --create, and an error without it.
func (f placeFlags) prepare(ctx context.Context, api *client.Client, kind string, store client.Datastore) (place, error) {
	b := &builder{api: api, flags: f, kind: kind, store: store, account: accountOf(store.DatastoreArn), policy: client.ExportPolicy}
	if kind == "import" {
		b.policy = client.ImportPolicy
	}
	key, err := b.key(ctx)
	if err != nil {
		return place{}, err
	}
	bucket, err := b.bucket(ctx, key)
	if err != nil {
		return place{}, err
	}
	role, err := b.role(ctx, bucket, key)
	if err != nil {
		return place{}, err
	}
	return place{bucket, key, role, b.made}, nil
}

// accountOf is the account of arn:aws:service:region:account:resource.
func accountOf(arn string) string {
	if parts := strings.SplitN(arn, ":", 6); len(parts) == 6 {
		return parts[4]
	}
	return ""
}

// absent is the error about something that is not there and may not be made.
func (b *builder) absent(what, flag string) error {
	return fault.WithHint(fault.Errorf(fault.NotFound, "", "There is no %s.", what), "--create makes what is not there; %s names another.", flag)
}

func (b *builder) key(ctx context.Context) (arn string, err error) {
	name, own := b.flags.KmsKey, b.flags.KmsKey == ""
	if own {
		name = "alias/tarn-" + b.kind
	}
	key, err := b.api.DescribeKey(ctx, name)
	switch {
	case err == nil:
		return key.Arn, nil
	case fault.Is(err, fault.NotFound) && b.flags.Create && strings.HasPrefix(name, "alias/"):
		if key, err = b.api.CreateKey(ctx, "Seals the files of Tarn's "+b.kind+"s"); err != nil {
			return "", err
		}
		b.made = append(b.made, "KMS key "+name)
		return key.Arn, b.api.CreateAlias(ctx, name, key.KeyId)
	case !own && !fault.Is(err, fault.Unavailable):
		return name, nil // the preflight says what is wrong with a key that the caller names
	case fault.Is(err, fault.NotFound):
		return "", b.absent("KMS key "+name, "--kms-key")
	default:
		return "", err
	}
}

func (b *builder) bucket(ctx context.Context, key string) (string, error) {
	name, own := b.flags.Bucket, b.flags.Bucket == ""
	if own {
		name = "tarn-" + b.kind + "-" + b.account + "-" + b.api.Region()
	}
	there, err := b.api.BucketExists(ctx, name)
	switch {
	case err != nil && own:
		return "", err
	case fault.Is(err, fault.Unavailable):
		return "", err
	case err != nil, there && !(own && b.flags.Create):
		return name, nil
	case !there && !b.flags.Create:
		if own {
			return "", b.absent("bucket "+name, "--bucket")
		}
		return name, nil // the preflight says so
	case !there:
		if err := b.api.CreateBucket(ctx, name); err != nil {
			return "", err
		}
		b.made = append(b.made, "bucket "+name)
	}
	// Both settings may be put again: a creation that broke off is mended by the next.
	if err := b.api.BlockPublicAccess(ctx, name); err != nil {
		return "", err
	}
	return name, b.api.EncryptBucket(ctx, name, key)
}

func (b *builder) role(ctx context.Context, bucket, key string) (arn string, err error) {
	if strings.HasPrefix(b.flags.Role, "arn:") {
		return b.flags.Role, nil
	}
	name, own := b.flags.Role, b.flags.Role == ""
	if own {
		name = "tarn-" + b.kind + "-" + b.store.DatastoreId[:12]
	}
	role, err := b.api.GetRole(ctx, name)
	missing := fault.Is(err, fault.NotFound)
	switch {
	case missing && !b.flags.Create:
		return "", b.absent("role "+name, "--role")
	case missing:
		if role, err = b.api.CreateRole(ctx, name, client.TrustPolicy(b.account, b.store.DatastoreArn)); err != nil {
			return "", err
		}
		b.made = append(b.made, "role "+name)
	case fault.Is(err, fault.Denied) && !own:
		return "arn:aws:iam::" + b.account + ":role/" + name, nil // whoever may not look at roles may still pass one
	case err != nil || !(own && b.flags.Create):
		return role.Arn, err
	}
	// One policy a bucket, put again each time: it is the same, or what is missing is added.
	return role.Arn, b.api.PutRolePolicy(ctx, name, "tarn-"+b.kind+"-"+bucket, b.policy(bucket, key))
}
