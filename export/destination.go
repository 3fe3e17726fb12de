package export

import (
	"context"

	"tarn/cloud"
)

// Destination is where a job writes, and with whose rights.
type Destination struct {
	Partition string // of ARNs
	SourceARN string // the data store: aws:SourceArn when the role is taken
	RoleARN   string
	Bucket    string
	Prefix    string // of the objects that will be put
	KMSKeyID  string
}

// Assume takes the destination's role as the service, for the data store.
func (d Destination) Assume(ctx context.Context, c cloud.Cloud, session string) (cloud.Role, error) {
	return c.Assume(ctx, cloud.Assumption{RoleARN: d.RoleARN, SessionName: session, SourceAccount: c.Account(), SourceARN: d.SourceARN})
}

// Check looks at role, bucket and key as the export guide demands, with the rights of the role and nothing else, and
// returns all that is wrong, in a stable order; none means that the job may write. Its error is about the looking
// itself: a cloud that does not answer (fault.Unavailable).
func (d Destination) Check(ctx context.Context, in cloud.Cloud) ([]Finding, error) {
	c := &check{to: d, region: in.Region(), bucketARN: "arn:" + d.Partition + ":s3:::" + d.Bucket}
	role, err := d.Assume(ctx, in, "preflight")
	c.role(in.Account(), err)
	if role != nil { // a role that does not trust the service can still be looked at
		c.bucket(ctx, role.Bucket(d.Bucket))
		c.key(ctx, role.Key(d.KMSKeyID))
		c.put(ctx, role.Bucket(d.Bucket))
	}
	return c.findings, c.err
}
