package local

import (
	"context"
	"encoding/binary"
	"net/netip"
	"regexp"
	"strings"
	"time"

	"tarn/cloud"
	"tarn/fault"
	"tarn/kv"
)

// bucketRecord is a bucket as it lies in its row.
type bucketRecord struct {
	Name       string
	Number     uint32
	Region     string
	Created    time.Time
	Block      cloud.PublicAccessBlock
	Encryption BucketEncryption
	Policy     string `json:",omitempty"`
	Tags       []Tag  `json:",omitempty"`
	Ownership  string `json:",omitempty"`
}

func (b *bucketRecord) policyText() string {
	if b == nil {
		return ""
	}
	return b.Policy
}

// Bucket is what S3 tells of a bucket.
type Bucket struct {
	Name, ARN, Region string
	Created           time.Time
}

func (s *Session) bucket(b *bucketRecord) Bucket {
	return Bucket{Name: b.Name, ARN: s.c.bucketARN(b.Name), Region: b.Region, Created: b.Created}
}

// s3Error makes an error of S3.
func s3Error(kind fault.Kind, code, format string, args ...any) *cloud.Error {
	return &cloud.Error{Kind: kind, Code: code, Msg: fault.Message(fault.Errorf(kind, "", format, args...))}
}

var bucketForm = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// checkBucketName holds S3's naming rules for general purpose buckets.
func checkBucketName(name string) error {
	_, isIP := netip.ParseAddr(name)
	if !bucketForm.MatchString(name) || strings.Contains(name, "..") || isIP == nil ||
		strings.HasPrefix(name, "xn--") || strings.HasPrefix(name, "sthree-") || strings.HasPrefix(name, "amzn-s3-demo-") ||
		strings.HasSuffix(name, "-s3alias") || strings.HasSuffix(name, "--ol-s3") || strings.HasSuffix(name, ".mrap") ||
		strings.HasSuffix(name, "--x-s3") || strings.HasSuffix(name, "--table-s3") {
		return s3Error(fault.Invalid, "InvalidBucketName",
			"The specified bucket is not valid: a name has 3 to 63 of a-z, 0-9, '.' and '-', and begins and ends with a letter or digit")
	}
	return nil
}

var regionForm = regexp.MustCompile(`^[a-z]{2}(-[a-z]+){1,3}-[0-9]$`)

// lenientRegion is the Region in which making one's own bucket again is no error, as with S3.
const lenientRegion = "us-east-1"

// CreateBucket makes a bucket in a Region (empty: the service's), which may be another than the service's own. As with
// S3, Block Public Access is on in all four settings, encryption is SSE-S3 and ACLs are disabled. (s3:CreateBucket)
func (s *Session) CreateBucket(ctx context.Context, name, region, ownership string) (Bucket, error) {
	if region == "" {
		region = s.c.region
	}
	arn := s.c.bucketARN(name)
	if err := s.decideS3(nil, "s3:CreateBucket", arn, conditions{"s3:locationconstraint", region}); err != nil {
		return Bucket{}, err
	}
	if err := checkBucketName(name); err != nil {
		return Bucket{}, err
	}
	if region == "EU" {
		region = "eu-west-1"
	}
	if !regionForm.MatchString(region) {
		return Bucket{}, s3Error(fault.Invalid, "InvalidLocationConstraint", "The specified location-constraint is not valid")
	}
	if ownership == "" {
		ownership = ownerEnforced
	}
	if err := checkOwnership(ownership); err != nil {
		return Bucket{}, err
	}
	rec := s.c.newBucket(name, region, ownership)
	row := bucketRow(name)
	err := s.c.space.Update(ctx, [][]byte{row, []byte(rowNext)}, func(tx kv.Locked) (*kv.Batch, error) {
		if tx.Values[0] != nil {
			old, err := decode[bucketRecord](tx.Values[0])
			if err != nil {
				return nil, err
			}
			if old.Region == lenientRegion && region == lenientRegion {
				rec = old
				return nil, nil
			}
			e := s3Error(fault.Exists, "BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it.")
			e.Resource = arn
			return nil, e
		}
		return rec.found(tx.Values[1]), nil
	})
	return s.bucket(rec), err
}

// newBucket is the record of a bucket that is about to be made.
func (c *Cloud) newBucket(name, region, ownership string) *bucketRecord {
	return &bucketRecord{Name: name, Region: region, Created: c.now().UTC(), Encryption: BucketEncryption{Algorithm: SSES3},
		Block:     cloud.PublicAccessBlock{BlockPublicAcls: true, IgnorePublicAcls: true, BlockPublicPolicy: true, RestrictPublicBuckets: true},
		Ownership: ownership}
}

// found gives the bucket the next number, which the row rowNext holds, and is what makes it.
func (b *bucketRecord) found(next []byte) *kv.Batch {
	if len(next) == 4 {
		b.Number = binary.BigEndian.Uint32(next)
	}
	batch := new(kv.Batch)
	batch.Set(bucketRow(b.Name), encode(b))
	batch.Set([]byte(rowNext), binary.BigEndian.AppendUint32(nil, b.Number+1))
	return batch
}

// DeleteBucket deletes a bucket that holds nothing, unfinished uploads neither. (s3:DeleteBucket)
func (s *Session) DeleteBucket(ctx context.Context, name string) error {
	rec, err := s.open(ctx, name, "s3:DeleteBucket", nil)
	if err != nil {
		return err
	}
	lock := append(allGates(rec.Number), bucketRow(name))
	err = s.c.space.Update(ctx, lock, func(tx kv.Locked) (*kv.Batch, error) {
		if tx.Values[gates] == nil {
			return nil, noSuchBucket(s.c.bucketARN(name))
		}
		for _, prefix := range []string{rowObject, rowUpload} {
			it := tx.Scan(ctx, kv.Prefix(numbered(prefix, rec.Number, "")))
			full := it.Next()
			err := it.Err()
			if cerr := it.Close(); err == nil {
				err = cerr
			}
			if err != nil {
				return nil, err
			}
			if full {
				e := s3Error(fault.Conflict, "BucketNotEmpty", "The bucket you tried to delete is not empty")
				e.Resource = s.c.bucketARN(name)
				return nil, e
			}
		}
		b := new(kv.Batch)
		b.Delete(bucketRow(name))
		return b, nil
	})
	if err == nil {
		s.c.bodies.removeBucket(name)
	}
	return err
}

// HeadBucket tells where a bucket is. (s3:ListBucket)
func (s *Session) HeadBucket(ctx context.Context, name string) (Bucket, error) {
	rec, err := s.open(ctx, name, "s3:ListBucket", nil)
	if err != nil {
		return Bucket{}, err
	}
	return s.bucket(rec), nil
}

// BucketLocation tells where a bucket is. (s3:GetBucketLocation)
func (s *Session) BucketLocation(ctx context.Context, name string) (string, error) {
	rec, err := s.open(ctx, name, "s3:GetBucketLocation", nil)
	if err != nil {
		return "", err
	}
	return rec.Region, nil
}

// ListBuckets tells of all buckets in the order of their names. (s3:ListAllMyBuckets)
func (s *Session) ListBuckets(ctx context.Context) ([]Bucket, error) {
	if err := s.decideS3(nil, "s3:ListAllMyBuckets", "*", nil); err != nil {
		return nil, err
	}
	var all []Bucket
	err := s.c.read(ctx, func(r kv.Reader) error {
		for row, err := range scan(ctx, r, kv.Prefix([]byte(rowBucket))) {
			if err != nil {
				return err
			}
			rec, err := decode[bucketRecord](row.Value)
			if err != nil {
				return err
			}
			if rec.Name != ownBucket {
				all = append(all, s.bucket(rec))
			}
		}
		return nil
	})
	return all, err
}

func noSuchBucket(arn string) error {
	e := s3Error(fault.NotFound, "NoSuchBucket", "The specified bucket does not exist")
	e.Resource = arn
	return e
}

// open finds a bucket and decides on an action to the bucket itself.
func (s *Session) open(ctx context.Context, name, action string, extra conditions) (*bucketRecord, error) {
	arn := s.c.bucketARN(name)
	rec, err := s.seek(ctx, name, action, arn)
	if err != nil {
		return nil, err
	}
	return rec, s.decideS3(rec, action, arn, extra)
}

// seek finds a bucket. Whether a bucket is not there is told to everybody in the account, as S3 does.
func (s *Session) seek(ctx context.Context, name, action, resource string) (*bucketRecord, error) {
	if len(name) < 3 || len(name) > 63 || (name == ownBucket) != s.own {
		return nil, named(noSuchBucket(s.c.bucketARN(name)), action, resource)
	}
	rec, err := fetch[bucketRecord](ctx, s.c, bucketRow(name))
	if err != nil {
		return nil, err
	}
	if rec == nil {
		return nil, named(noSuchBucket(s.c.bucketARN(name)), action, resource)
	}
	return rec, nil
}

// changeBucket decides on an action to a bucket, then changes its record under its lock.
func (s *Session) changeBucket(ctx context.Context, name, action string, extra conditions, change func(*bucketRecord) error) error {
	if _, err := s.open(ctx, name, action, extra); err != nil {
		return err
	}
	row := bucketRow(name)
	err := s.c.space.Update(ctx, [][]byte{row}, func(tx kv.Locked) (*kv.Batch, error) {
		if tx.Values[0] == nil {
			return nil, noSuchBucket(s.c.bucketARN(name))
		}
		rec, err := decode[bucketRecord](tx.Values[0])
		if err != nil {
			return nil, err
		}
		if err := change(rec); err != nil {
			return nil, err
		}
		b := new(kv.Batch)
		b.Set(row, encode(rec))
		return b, nil
	})
	return named(err, action, s.c.bucketARN(name))
}
