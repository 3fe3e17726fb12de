package local

import (
	"context"
	"strings"
	"time"

	"tarn/access"
	"tarn/access/iam"
	"tarn/cloud"
	"tarn/fault"
)

// Caller is who calls, and what is known about the call.
type Caller struct {
	Principal access.Principal
	Grant     access.Grant   // what its own policies give now
	Context   access.Context // condition keys of the request; those of S3 and KMS are added here
	When      time.Time      // of the call; zero means now
}

// Session is the cloud as one caller sees it: every method is decided on by the caller's own policies and by those of
// the bucket and the key, by the rules of AWS, and fails with *cloud.Error where they refuse. A session is made for one
// request and is for one goroutine.
type Session struct {
	c      *Cloud
	caller Caller
	own    bool   // it is the service itself, with its own bucket
	via    string // the service that acts for the caller, for KMS: s3.REGION.amazonaws.com; else empty
}

// As is the cloud for a caller.
func (c *Cloud) As(caller Caller) *Session {
	if caller.When.IsZero() {
		caller.When = c.now()
	}
	return &Session{c: c, caller: caller}
}

// Account is the account that the session works in.
func (s *Session) Account() string { return s.c.account }

// Region is the Region of the service.
func (s *Session) Region() string { return s.c.region }

// conditions are condition keys that one call adds: key, value, key, value. Empty values are left out; several values of
// aws:TagKeys count together.
type conditions []string

// request is what the policies are asked about.
func (s *Session) request(action, resource string, extra conditions) *access.Request {
	ctx := s.caller.Context // Set appends behind what the caller gave, and one call at a time is decided
	var tagKeys []string
	for i := 0; i+1 < len(extra); i += 2 {
		switch {
		case extra[i] == access.KeyTagKeys:
			tagKeys = append(tagKeys, extra[i+1])
		case extra[i+1] != "":
			ctx.Set(extra[i], extra[i+1])
		}
	}
	if tagKeys != nil {
		ctx.Set(access.KeyTagKeys, tagKeys...)
	}
	return &access.Request{Principal: s.caller.Principal, Action: action, Resource: resource, Owner: s.c.account,
		When: s.caller.When, Context: ctx}
}

// decideS3 says whether the caller may do an S3 action to something in the bucket, nil where it may. A nil bucket is an
// action on none, such as s3:ListAllMyBuckets.
func (s *Session) decideS3(b *bucketRecord, action, resource string, extra conditions) error {
	if s.own {
		return nil // seek lets it into no bucket but its own
	}
	r := s.request(action, resource, extra)
	if b != nil && s.caller.Principal.Kind == access.Anonymous && b.Block.RestrictPublicBuckets && isPublic(b.Policy) {
		return &cloud.Error{Kind: fault.Denied, Code: "AccessDenied", Action: action, Resource: resource, Deny: cloud.DenySetting,
			Msg: "Anonymous access is prevented by the RestrictPublicBuckets setting in S3 Block Public Access."}
	}
	policy, err := s.c.policies.of(iam.Bucket, b.policyText())
	if err != nil {
		return err
	}
	return refusal(access.Decide(r, s.caller.Grant, policy), r, cloud.DenyBucket, "AccessDenied")
}

// decideKey says whether the caller may do a KMS action to the key, nil where it may.
func (s *Session) decideKey(k *keyRecord, action string, extra conditions) error {
	arn := s.c.keyARN(k.ID)
	r := s.request(action, arn, append(extra, "kms:calleraccount", s.c.account, "kms:viaservice", s.via,
		"kms:keyspec", k.Spec, "kms:keyusage", k.Usage, "kms:keyorigin", "AWS_KMS"))
	if s.via != "" {
		r.Context.Set(access.KeyViaService, "true")
	}
	var names []string
	for i := 0; i < len(extra); i += 2 {
		if name, ok := strings.CutPrefix(extra[i], encryptionContextKey); ok {
			names = append(names, name)
		}
	}
	r.Context.Set("kms:encryptioncontextkeys", names...)
	for _, t := range k.Tags {
		r.Context.Set(access.KeyResourceTag+t.Key, t.Value)
	}
	policy, err := s.c.policies.of(iam.Key, k.Policy)
	if err != nil {
		return err
	}
	return refusal(access.DecideGated(r, s.caller.Grant, policy), r, cloud.DenyKey, "AccessDeniedException")
}

const encryptionContextKey = "kms:encryptioncontext:"

// decideOwn says whether the caller's own policies alone allow a KMS action, such as kms:CreateKey.
func (s *Session) decideOwn(action, resource string, extra conditions) error {
	r := s.request(action, resource, append(extra, "kms:calleraccount", s.c.account))
	return refusal(access.Decide(r, s.caller.Grant, nil), r, cloud.DenyIdentity, "AccessDeniedException")
}

// refusal turns a decision into the error of a service; resource is what a policy of the resource is called here.
func refusal(d access.Decision, r *access.Request, resource cloud.Deny, code string) error {
	if d.Allowed() {
		return nil
	}
	deny := cloud.DenyIdentity
	switch d.Source {
	case access.FromResource:
		deny = resource
	case access.FromSession:
		deny = cloud.DenySession
	case access.FromBoundary:
		deny = cloud.DenyBoundary
	}
	return &cloud.Error{Kind: fault.Denied, Code: code, Action: r.Action, Resource: r.Resource, Deny: deny,
		Explicit: d.Effect == access.ExplicitDeny, Msg: fault.Message(d.Err("local", r))}
}

// grantOf is what a principal's own policies give now; a role or user that is gone has nothing.
func (c *Cloud) grantOf(ctx context.Context, p access.Principal) (access.Grant, error) {
	g, err := c.directory.Grant(ctx, p)
	if fault.Is(err, fault.NotFound) {
		return access.Grant{}, nil
	}
	return g, err
}

// arn makes an ARN of this partition.
func (c *Cloud) arn(service, region, account, resource string) string {
	return strings.Join([]string{"arn", c.partition, service, region, account, resource}, ":")
}

func (c *Cloud) bucketARN(name string) string      { return c.arn("s3", "", "", name) }
func (c *Cloud) objectARN(bucket, k string) string { return c.arn("s3", "", "", bucket+"/"+k) }
func (c *Cloud) keyARN(id string) string           { return c.arn("kms", c.region, c.account, "key/"+id) }
func (c *Cloud) aliasARN(name string) string       { return c.arn("kms", c.region, c.account, name) }
