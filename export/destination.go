package export

import (
	"context"
	"strings"

	"tarn/cloud"
)

// Destination is where a job writes, and with whose rights.
type Destination struct {
	Partition string // of ARNs
	SourceARN string // the data store: aws:SourceArn when the role is taken
	RoleARN   string
	Bucket    string
	Folder    string // of the job below the bucket, without its last digits while the job has no id yet
	KMSKeyID  string
	Input     *Input // what the job reads under the same role; nil where it reads nothing
}

// Input is where an import reads.
type Input struct {
	Bucket string
	Prefix string // of the objects: empty or ending in a slash
}

// Checked is what Check has seen.
type Checked struct {
	Findings []Finding // all that is wrong; none: the job may begin
	KeyARN   string    // of the key that KMSKeyID names now; empty where that could not be seen
}

// Assume takes the destination's role as the service, for the data store.
func (d Destination) Assume(ctx context.Context, c cloud.Cloud, session string) (cloud.Role, error) {
	return c.Assume(ctx, cloud.Assumption{RoleARN: d.RoleARN, SessionName: session, SourceAccount: c.Account(), SourceARN: d.SourceARN})
}

// Check looks at role, bucket and key as the export guide demands, and at the input if there is one, with the rights of
// the role and nothing else, and returns all that is wrong, in a stable order. Its error is about the looking itself: a
// cloud that does not answer (fault.Unavailable).
func (d Destination) Check(ctx context.Context, in cloud.Cloud) (Checked, error) {
	c := &check{to: d, region: in.Region()}
	role, err := d.Assume(ctx, in, "preflight")
	c.role(in.Account(), err)
	if role != nil { // a role that does not trust the service can still be looked at
		c.bucket(ctx, role.Bucket(d.Bucket))
		c.key(ctx, role.Key(d.KMSKeyID))
		c.put(ctx, role.Bucket(d.Bucket))
		if d.Input != nil {
			c.input(ctx, role.Bucket(d.Input.Bucket))
		}
	}
	return Checked{Findings: c.findings, KeyARN: c.keyARN}, c.err
}

// longest is about the longest name that a job gives an object below its folder's name without digits.
var longest = strings.Repeat("0", 32) + "/CoverageEligibilityResponse/CoverageEligibilityResponse-" + strings.Repeat("0", 19) + "-000000-0000.ndjson"
