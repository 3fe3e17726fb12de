package local

import (
	"cmp"
	"context"
	"errors"
	"io"
	"iter"
	"regexp"
	"strings"

	"tarn/access"
	"tarn/cloud"
	"tarn/fault"
)

// servicePrincipal is the service that takes roles for jobs.
const servicePrincipal = "healthlake.amazonaws.com"

var sessionForm = regexp.MustCompile(`^[\w+=,.@-]{2,64}$`)

// Assume implements cloud.Cloud.
func (c *Cloud) Assume(ctx context.Context, a cloud.Assumption) (cloud.Role, error) {
	const action = "sts:AssumeRole"
	r, err := c.directory.Role(ctx, a.RoleARN)
	if fault.Is(err, fault.NotFound) {
		return nil, &cloud.Error{Kind: fault.NotFound, Code: "NoSuchEntity", Action: action, Resource: a.RoleARN,
			Msg: "The role " + a.RoleARN + " does not exist in account " + c.account + "."}
	}
	if err != nil {
		return nil, err
	}
	if !sessionForm.MatchString(a.SessionName) {
		return nil, &cloud.Error{Kind: fault.Invalid, Code: "ValidationError", Action: action, Resource: a.RoleARN,
			Msg: "the session's name must have 2 to 64 of letters, digits and +=,.@-_"}
	}
	req := &access.Request{Principal: access.ServiceOf(servicePrincipal), Action: action, Resource: r.ARN, Owner: c.account, When: c.now()}
	req.Context.Set(access.KeySourceAccount, a.SourceAccount)
	req.Context.Set(access.KeySourceARN, a.SourceARN)
	req.Context.Set(access.KeySecureTransport, "true")
	p := access.SessionOf(r, a.SessionName)
	p.Tags = r.Tags
	p.TokenIssued = c.now()
	taken := &role{c: c, principal: p}
	if d := access.DecideGated(req, access.Grant{}, r.Trust); !d.Allowed() {
		why := "does not allow " + servicePrincipal + " to assume it"
		if d.Effect == access.ExplicitDeny {
			why = "denies it to " + servicePrincipal
		}
		taken.untrusted = &cloud.Error{Kind: fault.Denied, Code: "AccessDenied", Action: action, Resource: r.ARN, Deny: cloud.DenyTrust,
			Explicit: d.Effect == access.ExplicitDeny,
			Msg:      "The trust policy of " + r.ARN + " " + why + " for account " + a.SourceAccount + " and " + a.SourceARN + "."}
		return taken, taken.untrusted
	}
	return taken, nil
}

// role is a taken role. What it may do is looked up anew at each call.
type role struct {
	c         *Cloud
	principal access.Principal
	untrusted error // why it is only good for looking; nil for a role that was taken
}

// use is session for what reads or writes objects: a role that was not taken may not.
func (r *role) use(ctx context.Context) (*Session, error) {
	if r.untrusted != nil {
		return nil, r.untrusted
	}
	return r.session(ctx)
}

// ARN implements cloud.Role.
func (r *role) ARN() string { return r.principal.ARN }

// Bucket implements cloud.Role.
func (r *role) Bucket(name string) cloud.Bucket { return &roleBucket{r, name} }

// Key implements cloud.Role.
func (r *role) Key(id string) cloud.Key { return &roleKey{r, id} }

// session is the role with its present rights.
func (r *role) session(ctx context.Context) (*Session, error) {
	g, err := r.c.grantOf(ctx, r.principal)
	if err != nil {
		return nil, err
	}
	var known access.Context
	known.Set(access.KeySecureTransport, "true")
	known.Set(access.KeyRequestedRegion, r.c.region)
	return r.c.As(Caller{Principal: r.principal, Grant: g, Context: known}), nil
}

type roleBucket struct {
	r    *role
	name string
}

// Region implements cloud.Bucket.
func (b *roleBucket) Region(ctx context.Context) (string, error) {
	s, err := b.r.session(ctx)
	if err != nil {
		return "", err
	}
	info, err := s.HeadBucket(ctx, b.name)
	return info.Region, err
}

// PublicAccessBlock implements cloud.Bucket.
func (b *roleBucket) PublicAccessBlock(ctx context.Context) (cloud.PublicAccessBlock, error) {
	s, err := b.r.session(ctx)
	if err != nil {
		return cloud.PublicAccessBlock{}, err
	}
	return s.PublicAccessBlock(ctx, b.name)
}

// Encryption implements cloud.Bucket.
func (b *roleBucket) Encryption(ctx context.Context) (cloud.Encryption, error) {
	s, err := b.r.session(ctx)
	if err != nil {
		return cloud.Encryption{}, err
	}
	e, err := s.BucketEncryption(ctx, b.name)
	return cloud.Encryption{Algorithm: e.Algorithm, KMSKeyID: e.KMSKeyID}, err
}

func sseOf(o cloud.PutOptions) SSE {
	if o.KMSKeyID == "" {
		return SSE{}
	}
	return SSE{Algorithm: SSEKMS, KMSKeyID: o.KMSKeyID}
}

// MayPut implements cloud.Bucket. It does all that Put does but for writing.
func (b *roleBucket) MayPut(ctx context.Context, key string, o cloud.PutOptions) error {
	s, err := b.r.session(ctx)
	if err != nil {
		return err
	}
	rec, err := s.mayPut(ctx, b.name, key, sseOf(o), "")
	if err != nil {
		return err
	}
	_, _, err = s.newDataKey(ctx, rec, s.c.objectARN(b.name, key), sseOf(o))
	return err
}

// MayGet implements cloud.Bucket. Where there is no such object yet, the key is the one of the bucket's default.
func (b *roleBucket) MayGet(ctx context.Context, key string) error {
	s, err := b.r.session(ctx)
	if err != nil {
		return err
	}
	arn := s.c.objectARN(b.name, key)
	rec, err := s.seek(ctx, b.name, "s3:GetObject", arn)
	if err != nil {
		return err
	}
	if err := s.decideS3(rec, "s3:GetObject", arn, nil); err != nil {
		return err
	}
	if err := checkKey(key); err != nil {
		return err
	}
	o, err := fetch[objectRecord](ctx, s.c, objectRow(rec.Number, key))
	if err != nil {
		return err
	}
	if o != nil {
		_, err = s.dataKey(ctx, &o.Sealing, arn)
		return err
	}
	e, err := SSE{}.settle(rec)
	if err != nil || e.Algorithm == SSES3 {
		return err
	}
	_, err = s.throughS3().keyFor(ctx, e.KMSKeyID, "kms:Decrypt", (&sealing{}).encryptionContext(arn))
	return throughS3Error(err)
}

// Put implements cloud.Bucket.
func (b *roleBucket) Put(ctx context.Context, key string, body io.ReadSeeker, size int64, o cloud.PutOptions) error {
	s, err := b.r.use(ctx)
	if err != nil {
		return err
	}
	return asked(putWhole(ctx, s, b.name, key, body, size, o), "s3:PutObject", s.c.objectARN(b.name, key))
}

// asked makes the sentence of a refusal name the action and the resource: who reads it in the message of a job has not
// made the call.
func asked(err error, action, resource string) error {
	var e *cloud.Error
	if !errors.As(err, &e) {
		return err
	}
	told := *e
	told.Action, told.Resource = cmp.Or(e.Action, action), cmp.Or(e.Resource, resource)
	if !strings.Contains(e.Msg, told.Action) {
		told.Msg = told.Action + " of " + told.Resource + ": " + e.Msg
	}
	return &told
}

func putWhole(ctx context.Context, s *Session, bucket, key string, body io.ReadSeeker, size int64, o cloud.PutOptions) error {
	if _, err := body.Seek(0, io.SeekStart); err != nil {
		return fault.Errorf(fault.Invalid, "local.Put", "the body cannot be read from its start: %w", err)
	}
	_, err := s.PutObject(ctx, PutRequest{Bucket: bucket, Key: key, Body: body, Size: size, SSE: sseOf(o), SHA256: o.SHA256,
		Headers: Headers{ContentType: o.ContentType}})
	var known *cloud.Error
	if !fault.Is(err, fault.Unavailable) || errors.As(err, &known) || ctx.Err() != nil {
		return err
	}
	arn := s.c.bucketARN(bucket) + "/" + key
	return &cloud.Error{Kind: fault.Unavailable, Code: "ServiceUnavailable", Action: "s3:PutObject", Resource: arn, Cause: err,
		Msg: "s3:PutObject of " + arn + ": the storage of the bucket did not take the object; its disk may be full."}
}

// Get implements cloud.Bucket.
func (b *roleBucket) Get(ctx context.Context, key string, offset, n int64) (io.ReadCloser, error) {
	s, err := b.r.use(ctx)
	if err != nil {
		return nil, err
	}
	r, err := getRange(ctx, s, b.name, key, offset, n)
	return r, asked(err, "s3:GetObject", s.c.objectARN(b.name, key))
}

func getRange(ctx context.Context, s *Session, bucket, key string, offset, n int64) (io.ReadCloser, error) {
	o, err := s.GetObject(ctx, bucket, key)
	if err != nil {
		return nil, err
	}
	if offset < 0 || offset > o.Size {
		return nil, errors.Join(s3Error(fault.Invalid, "InvalidRange", "The requested range is not satisfiable"), o.Close())
	}
	if n < 0 || n > o.Size-offset {
		n = o.Size - offset
	}
	r, err := o.Open(ctx, offset, n)
	if err != nil {
		return nil, errors.Join(err, o.Close())
	}
	r.(*reader).closing = func() { _ = o.Close() }
	return r, nil
}

// List implements cloud.Bucket.
func (b *roleBucket) List(ctx context.Context, prefix string) iter.Seq2[cloud.Object, error] {
	return listAll(ctx, func() (*Session, error) { return b.r.use(ctx) }, b.name, prefix)
}

// listAll lists page by page, each with the rights that the caller has then.
func listAll(ctx context.Context, session func() (*Session, error), bucket, prefix string) iter.Seq2[cloud.Object, error] {
	return func(yield func(cloud.Object, error) bool) {
		for after, more := "", true; more; {
			s, err := session()
			var page Listing
			if err == nil {
				page, err = s.ListObjects(ctx, ListRequest{Bucket: bucket, Prefix: prefix, After: after, Max: 1000})
				err = asked(err, "s3:ListBucket", s.c.bucketARN(bucket))
			}
			if err != nil {
				yield(cloud.Object{}, err)
				return
			}
			for _, o := range page.Objects {
				if !yield(cloud.Object{Key: o.Key, Size: o.Size, ETag: o.ETag, Modified: o.Modified}, nil) {
					return
				}
			}
			after, more = page.Next, page.Truncated
		}
	}
}

type roleKey struct {
	r  *role
	id string
}

// Describe implements cloud.Key.
func (k *roleKey) Describe(ctx context.Context) (cloud.KeyInfo, error) {
	s, err := k.r.session(ctx)
	if err != nil {
		return cloud.KeyInfo{}, err
	}
	m, err := s.DescribeKey(ctx, k.id)
	if err != nil {
		return cloud.KeyInfo{}, err
	}
	return cloud.KeyInfo{ARN: m.ARN, Manager: m.Manager, State: m.State, Spec: m.Spec, Usage: m.Usage}, nil
}

// MayGenerateDataKey implements cloud.Key. The question is asked as S3 asks it for the role, since that is how the key
// will be used.
func (k *roleKey) MayGenerateDataKey(ctx context.Context) error {
	s, err := k.r.session(ctx)
	if err != nil {
		return err
	}
	_, err = s.throughS3().keyFor(ctx, k.id, "kms:GenerateDataKey", nil)
	return err
}
