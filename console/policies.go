package console

import (
	"cmp"
	"fmt"

	"tarn/api/client"
)

// policies are the two documents of a role that the form makes, as they are shown before.
type policies struct {
	Role, Policy      string // names
	Trust, Permission string // JSON
	Seen              string // fingerprint, by which the form proves that they were shown
}

// policiesOf are the documents for the form as it stands. What is not there yet stands in them by its name; the ARN of
// a key that is still to be made is known only afterwards.
func policiesOf(f exportForm, c choices, account, region string) policies {
	key := f.Key.Chosen
	if f.Key.New() {
		key = fmt.Sprintf("arn:aws:kms:%s:%s:key/(the new key %s)", region, account, f.Key.Name)
	}
	bucket := f.Bucket.Chosen
	if f.Bucket.New() {
		bucket = f.Bucket.Name
	}
	p := policies{Role: f.Role.Name, Policy: policyName(f.Role.Name),
		Trust:      client.TrustPolicy(account, cmp.Or(c.arn(f.Datastore, account, region), "(the data store)")),
		Permission: client.ExportPolicy(cmp.Or(bucket, "(the bucket)"), cmp.Or(key, "(the key)"))}
	p.Seen = fingerprint(p.Role, p.Trust, p.Permission)
	return p
}

// policyName is the name of the permission policy of a role that the form makes.
func policyName(role string) string { return role + "-access" }
