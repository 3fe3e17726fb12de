package localcloud_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/service/kms"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"tarn/api/localcloud"
)

// pattern is n bytes that do not repeat.
func pattern(n int) []byte {
	out := make([]byte, 0, n+32)
	for sum := sha256.Sum256([]byte("p")); len(out) < n; sum = sha256.Sum256(sum[:]) {
		out = append(out, sum[:]...)
	}
	return out[:n]
}

func codeOf(err error) string {
	var e smithy.APIError
	if errors.As(err, &e) {
		return e.ErrorCode()
	}
	if err != nil {
		return "no API error: " + err.Error()
	}
	return ""
}

func TestS3_bucketsAndTheirSettings(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	c, ctx := s.s3(s.root), t.Context()
	name := aws.String("exports.example")
	got(c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: name}))(t)
	_, err := c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("No_Bucket")})
	refused(t, err, 400, "InvalidBucketName")
	got(c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("faraway"),
		CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: "eu-west-1"}}))(t)

	_, err = c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("faraway")})
	refused(t, err, 409, "BucketAlreadyOwnedByYou")
	if h := got(c.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: aws.String("faraway")}))(t); aws.ToString(h.BucketRegion) != "eu-west-1" {
		t.Errorf("HeadBucket: %v", aws.ToString(h.BucketRegion))
	}
	if l := got(c.GetBucketLocation(ctx, &s3.GetBucketLocationInput{Bucket: aws.String("faraway")}))(t); l.LocationConstraint != "eu-west-1" {
		t.Errorf("location %q", l.LocationConstraint)
	}
	if l := got(c.GetBucketLocation(ctx, &s3.GetBucketLocationInput{Bucket: name}))(t); l.LocationConstraint != "" {
		t.Errorf("location %q", l.LocationConstraint)
	}
	if l := got(c.ListBuckets(ctx, &s3.ListBucketsInput{}))(t); len(l.Buckets) != 2 || *l.Buckets[0].Name != *name || l.Buckets[0].CreationDate.IsZero() {
		t.Errorf("ListBuckets: %+v", l.Buckets)
	}
	if e := got(c.GetBucketEncryption(ctx, &s3.GetBucketEncryptionInput{Bucket: name}))(t); e.ServerSideEncryptionConfiguration.Rules[0].ApplyServerSideEncryptionByDefault.SSEAlgorithm != "AES256" {
		t.Errorf("encryption of a new bucket: %+v", e.ServerSideEncryptionConfiguration.Rules)
	}
	p := got(c.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: name}))(t).PublicAccessBlockConfiguration
	if !*p.BlockPublicAcls || !*p.IgnorePublicAcls || !*p.BlockPublicPolicy || !*p.RestrictPublicBuckets {
		t.Errorf("Block Public Access of a new bucket: %+v", p)
	}
	public := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::exports.example/*"}}`
	_, err = c.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: name, Policy: &public})
	refused(t, err, 403, "AccessDenied", "BlockPublicPolicy")
	got(c.DeletePublicAccessBlock(ctx, &s3.DeletePublicAccessBlockInput{Bucket: name}))(t)
	_, err = c.GetPublicAccessBlock(ctx, &s3.GetPublicAccessBlockInput{Bucket: name})
	refused(t, err, 404, "NoSuchPublicAccessBlockConfiguration")
	got(c.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: name, Policy: &public}))(t)
	if st := got(c.GetBucketPolicyStatus(ctx, &s3.GetBucketPolicyStatusInput{Bucket: name}))(t); !*st.PolicyStatus.IsPublic {
		t.Error("a public policy is not told to be public")
	}
	if text := got(c.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: name}))(t); *text.Policy != public {
		t.Errorf("policy %s", *text.Policy)
	}
	got(c.DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: name}))(t)
	_, err = c.GetBucketPolicy(ctx, &s3.GetBucketPolicyInput{Bucket: name})
	refused(t, err, 404, "NoSuchBucketPolicy")
	_, err = c.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: name, Policy: aws.String("{")})
	refused(t, err, 400, "MalformedPolicy")

	key := got(s.kms(s.root).CreateKey(ctx, &kms.CreateKeyInput{}))(t).KeyMetadata
	got(c.PutBucketEncryption(ctx, &s3.PutBucketEncryptionInput{Bucket: name, ServerSideEncryptionConfiguration: &types.ServerSideEncryptionConfiguration{
		Rules: []types.ServerSideEncryptionRule{{ApplyServerSideEncryptionByDefault: &types.ServerSideEncryptionByDefault{SSEAlgorithm: "aws:kms", KMSMasterKeyID: key.Arn}}}}}))(t)
	if o := got(c.PutObject(ctx, &s3.PutObjectInput{Bucket: name, Key: aws.String("a"), Body: strings.NewReader("x")}))(t); o.ServerSideEncryption != "aws:kms" || *o.SSEKMSKeyId != *key.Arn {
		t.Errorf("a put without a word of encryption: %s, %v", o.ServerSideEncryption, aws.ToString(o.SSEKMSKeyId))
	}
	_, err = c.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: name})
	refused(t, err, 409, "BucketNotEmpty")
	got(c.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: name, Key: aws.String("a")}))(t)
	got(c.DeleteBucket(ctx, &s3.DeleteBucketInput{Bucket: name}))(t)
	_, err = c.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: name})
	refused(t, err, 404, "NoSuchBucket")
	_, err = c.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: aws.String("faraway")})
	refused(t, err, 404, "NoSuchLifecycleConfiguration")
	_, err = c.PutBucketCors(ctx, &s3.PutBucketCorsInput{Bucket: aws.String("faraway"), CORSConfiguration: &types.CORSConfiguration{CORSRules: []types.CORSRule{{AllowedMethods: []string{"GET"}, AllowedOrigins: []string{"*"}}}}})
	refused(t, err, 501, "NotImplemented", "?cors")
}

func TestS3_objectsComeBackAsTheyWere(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	c, ctx := s.s3(s.root), t.Context()
	bucket := aws.String("bucket")
	got(c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: bucket}))(t)
	body := pattern(200_000)
	for _, algorithm := range append([]types.ChecksumAlgorithm{""}, types.ChecksumAlgorithm("").Values()...) {
		switch algorithm {
		case "", "CRC32", "CRC32C", "SHA1", "SHA256", "CRC64NVME":
		default:
			continue
		}
		key := aws.String("dir/ü b+c%2F?#" + string(algorithm))
		in := &s3.PutObjectInput{Bucket: bucket, Key: key, Body: bytes.NewReader(body), ChecksumAlgorithm: algorithm, ContentType: aws.String("text/x"),
			ContentEncoding: aws.String("gzip"), CacheControl: aws.String("no-cache"), Metadata: map[string]string{"owner": "me"}}
		put := got(c.PutObject(ctx, in))(t)
		o := got(c.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key, ChecksumMode: types.ChecksumModeEnabled}))(t)
		data := got(io.ReadAll(o.Body))(t)
		if !bytes.Equal(data, body) || *o.ETag != *put.ETag || *o.ContentType != "text/x" || *o.ContentEncoding != "gzip" || *o.CacheControl != "no-cache" ||
			o.Metadata["owner"] != "me" || *o.ContentLength != 200_000 || o.ServerSideEncryption != "AES256" {
			t.Errorf("%s: came back as %+v", algorithm, o)
		}
		sums := []*string{o.ChecksumCRC32, o.ChecksumCRC32C, o.ChecksumCRC64NVME, o.ChecksumSHA1, o.ChecksumSHA256}
		n := 0
		for _, sum := range sums {
			if sum != nil {
				n++
			}
		}
		if n != 1 {
			t.Errorf("%s: %d checksums", algorithm, n)
		}
	}
	if list := got(c.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket, EncodingType: "url"}))(t); len(list.Contents) != 6 {
		t.Errorf("%d objects", len(list.Contents))
	}
	key := aws.String("dir/ü b+c%2F?#")
	for _, test := range []struct {
		spec      string
		from, to  int // of the body
		code      string
		wantRange string
	}{
		{"bytes=0-0", 0, 1, "", "bytes 0-0/200000"},
		{"bytes=65530-65545", 65530, 65546, "", "bytes 65530-65545/200000"},
		{"bytes=199999-", 199999, 200000, "", "bytes 199999-199999/200000"},
		{"bytes=-10", 199990, 200000, "", "bytes 199990-199999/200000"},
		{"bytes=5-999999999", 5, 200000, "", "bytes 5-199999/200000"},
		{"bytes=9-5", 0, 200000, "", ""},
		{"bytes=200000-", 0, 0, "InvalidRange", ""},
	} {
		o, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key, Range: &test.spec})
		if codeOf(err) != test.code {
			t.Errorf("%s: %v", test.spec, err)
		}
		if err == nil {
			if data := got(io.ReadAll(o.Body))(t); !bytes.Equal(data, body[test.from:test.to]) || aws.ToString(o.ContentRange) != test.wantRange {
				t.Errorf("%s: %d bytes, %s", test.spec, len(data), aws.ToString(o.ContentRange))
			}
		}
	}
	head := got(c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: key}))(t)
	_, err := c.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key, IfNoneMatch: head.ETag})
	if err == nil || !strings.Contains(err.Error(), "304") {
		t.Errorf("If-None-Match: %v", err)
	}
	_, err = c.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: key, IfMatch: aws.String(`"other"`)})
	refused(t, err, 412, "PreconditionFailed")
	_, err = c.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: key, Body: strings.NewReader("x"), IfNoneMatch: aws.String("*")})
	refused(t, err, 412, "PreconditionFailed")
	_, err = c.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: aws.String("md5"), Body: strings.NewReader("x"), ContentMD5: aws.String("AAAAAAAAAAAAAAAAAAAAAA==")})
	refused(t, err, 400, "BadDigest")
	_, err = c.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: aws.String("sum"), Body: strings.NewReader("x"), ChecksumSHA256: aws.String("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")})
	refused(t, err, 400, "BadDigest")
	_, err = c.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: aws.String("acl"), Body: strings.NewReader("x"), ACL: "public-read"})
	refused(t, err, 403, "AccessDenied", "BlockPublicAcls")
	_, err = c.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: aws.String("md5")})
	refused(t, err, 404, "NoSuchKey")
	_, err = c.HeadObject(ctx, &s3.HeadObjectInput{Bucket: bucket, Key: aws.String("md5")})
	if err == nil {
		t.Error("a refused put is there")
	}
	got(c.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: aws.String("empty")}))(t)
	if o := got(c.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: aws.String("empty")}))(t); *o.ContentLength != 0 {
		t.Errorf("empty object of %d bytes", *o.ContentLength)
	}
}

func TestS3_multipartUploads(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	c, ctx := s.s3(s.root), t.Context()
	bucket, name := aws.String("bucket"), aws.String("large")
	got(c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: bucket}))(t)
	key := got(s.kms(s.root).CreateKey(ctx, &kms.CreateKeyInput{}))(t).KeyMetadata.Arn
	body := pattern(30 << 20)
	whole := got(c.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: aws.String("whole"), Body: bytes.NewReader(body), ChecksumAlgorithm: "CRC32"}))(t)
	for _, kind := range []types.ChecksumType{types.ChecksumTypeFullObject, types.ChecksumTypeComposite} {
		up := got(c.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: bucket, Key: name, ServerSideEncryption: "aws:kms", SSEKMSKeyId: key,
			ChecksumAlgorithm: "CRC32", ChecksumType: kind, Metadata: map[string]string{"a": "b"}}))(t)
		if *up.SSEKMSKeyId != *key {
			t.Errorf("key %s", *up.SSEKMSKeyId)
		}
		var parts []types.CompletedPart
		for i := range 6 {
			p := got(c.UploadPart(ctx, &s3.UploadPartInput{Bucket: bucket, Key: name, UploadId: up.UploadId, PartNumber: aws.Int32(int32(i + 1)),
				Body: bytes.NewReader(body[i*5<<20 : (i+1)*5<<20]), ChecksumAlgorithm: "CRC32"}))(t)
			parts = append(parts, types.CompletedPart{ETag: p.ETag, PartNumber: aws.Int32(int32(i + 1)), ChecksumCRC32: p.ChecksumCRC32})
		}
		listed := got(c.ListParts(ctx, &s3.ListPartsInput{Bucket: bucket, Key: name, UploadId: up.UploadId, MaxParts: aws.Int32(4)}))(t)
		if len(listed.Parts) != 4 || !*listed.IsTruncated || *listed.Parts[3].Size != 5<<20 {
			t.Errorf("parts %+v", listed)
		}
		if ups := got(c.ListMultipartUploads(ctx, &s3.ListMultipartUploadsInput{Bucket: bucket}))(t); len(ups.Uploads) != 1 || *ups.Uploads[0].UploadId != *up.UploadId {
			t.Errorf("uploads %+v", ups.Uploads)
		}
		_, err := c.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: bucket, Key: name, UploadId: up.UploadId,
			MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{parts[1], parts[0]}}})
		refused(t, err, 400, "InvalidPartOrder")
		done := got(c.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: bucket, Key: name, UploadId: up.UploadId,
			MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}}))(t)
		if kind == types.ChecksumTypeFullObject && aws.ToString(done.ChecksumCRC32) != *whole.ChecksumCRC32 {
			t.Errorf("the CRC32 of the parts together is %s, of the whole %s", aws.ToString(done.ChecksumCRC32), *whole.ChecksumCRC32)
		}
		if kind == types.ChecksumTypeComposite && !strings.HasSuffix(aws.ToString(done.ChecksumCRC32), "-6") {
			t.Errorf("composite checksum %s", aws.ToString(done.ChecksumCRC32))
		}
		o := got(c.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: name}))(t)
		if data := got(io.ReadAll(o.Body))(t); !bytes.Equal(data, body) || !strings.HasSuffix(*o.ETag, `-6"`) || o.Metadata["a"] != "b" {
			t.Errorf("%d bytes, %s", len(data), *o.ETag)
		}
	}
	small := got(c.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: bucket, Key: name}))(t)
	var parts []types.CompletedPart
	for i := range 2 {
		p := got(c.UploadPart(ctx, &s3.UploadPartInput{Bucket: bucket, Key: name, UploadId: small.UploadId, PartNumber: aws.Int32(int32(i + 1)), Body: strings.NewReader("x")}))(t)
		parts = append(parts, types.CompletedPart{ETag: p.ETag, PartNumber: aws.Int32(int32(i + 1))})
	}
	_, err := c.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: bucket, Key: name, UploadId: small.UploadId, MultipartUpload: &types.CompletedMultipartUpload{Parts: parts}})
	refused(t, err, 400, "EntityTooSmall")
	got(c.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: bucket, Key: name, UploadId: small.UploadId}))(t)
	_, err = c.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: bucket, Key: name, UploadId: small.UploadId})
	refused(t, err, 404, "NoSuchUpload")
	copied := got(c.CopyObject(ctx, &s3.CopyObjectInput{Bucket: bucket, Key: aws.String("copy"), CopySource: aws.String("bucket/large"),
		MetadataDirective: "REPLACE", Metadata: map[string]string{"c": "d"}, ServerSideEncryption: "AES256"}))(t)
	o := got(c.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: aws.String("copy"), Range: aws.String("bytes=5242870-5242890")}))(t)
	if data := got(io.ReadAll(o.Body))(t); !bytes.Equal(data, body[5242870:5242891]) || o.Metadata["c"] != "d" || o.ServerSideEncryption != "AES256" || *o.ETag != *copied.CopyObjectResult.ETag {
		t.Errorf("the copy is another: %+v", o)
	}
	up := got(c.CreateMultipartUpload(ctx, &s3.CreateMultipartUploadInput{Bucket: bucket, Key: name}))(t)
	part := got(c.UploadPartCopy(ctx, &s3.UploadPartCopyInput{Bucket: bucket, Key: name, UploadId: up.UploadId, PartNumber: aws.Int32(1), CopySource: aws.String("bucket/copy"), CopySourceRange: aws.String("bytes=1-3")}))(t)
	got(c.CompleteMultipartUpload(ctx, &s3.CompleteMultipartUploadInput{Bucket: bucket, Key: name, UploadId: up.UploadId,
		MultipartUpload: &types.CompletedMultipartUpload{Parts: []types.CompletedPart{{ETag: part.CopyPartResult.ETag, PartNumber: aws.Int32(1)}}}}))(t)
	if o := got(c.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: name}))(t); *o.ContentLength != 3 {
		t.Errorf("%d bytes of a copied range of 3", *o.ContentLength)
	}
}

func TestS3_listings(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	c, ctx := s.s3(s.root), t.Context()
	bucket := aws.String("bucket")
	got(c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: bucket}))(t)
	for _, name := range []string{"a", "b/1", "b/2", "b/3", "c", "d/x/1", "d/y", "e f&<>"} {
		got(c.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: &name, Body: strings.NewReader(name)}))(t)
	}
	var names []string
	pages := s3.NewListObjectsV2Paginator(c, &s3.ListObjectsV2Input{Bucket: bucket, Delimiter: aws.String("/"), MaxKeys: aws.Int32(2)})
	for pages.HasMorePages() {
		page := got(pages.NextPage(ctx))(t)
		for _, o := range page.Contents {
			names = append(names, *o.Key)
		}
		for _, p := range page.CommonPrefixes {
			names = append(names, *p.Prefix)
		}
	}
	if fmt.Sprint(names) != "[a b/ c d/ e f&<>]" {
		t.Errorf("listed %q", names)
	}
	one := got(c.ListObjects(ctx, &s3.ListObjectsInput{Bucket: bucket, Delimiter: aws.String("/"), MaxKeys: aws.Int32(2)}))(t)
	two := got(c.ListObjects(ctx, &s3.ListObjectsInput{Bucket: bucket, Delimiter: aws.String("/"), Marker: one.NextMarker}))(t)
	if *one.NextMarker != "b/" || len(two.Contents) != 2 || *two.Contents[0].Key != "c" || len(two.CommonPrefixes) != 1 {
		t.Errorf("v1: %v then %+v", *one.NextMarker, two)
	}
	after := got(c.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket, Prefix: aws.String("b/"), StartAfter: aws.String("b/1")}))(t)
	if len(after.Contents) != 2 || *after.Contents[0].Key != "b/2" {
		t.Errorf("start-after: %+v", after.Contents)
	}
	gone := got(c.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: bucket, Delete: &types.Delete{Objects: []types.ObjectIdentifier{{Key: aws.String("a")}, {Key: aws.String("none")}}}}))(t)
	if len(gone.Deleted) != 2 || len(gone.Errors) != 0 {
		t.Errorf("deleted %+v", gone)
	}
	versions := got(c.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: bucket}))(t)
	if len(versions.Versions) != 7 || *versions.Versions[0].VersionId != "null" {
		t.Errorf("versions %+v", versions.Versions)
	}
}

func TestS3_rightsAreEnforced(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	root, ctx := s.s3(s.root), t.Context()
	bucket := aws.String("bucket")
	got(root.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: bucket}))(t)
	got(root.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: aws.String("home/u/a"), Body: strings.NewReader("a")}))(t)
	wrong := s.root
	wrong.SecretAccessKey += "x"
	_, err := s.s3(wrong).ListBuckets(ctx, &s3.ListBucketsInput{})
	refused(t, err, 403, "SignatureDoesNotMatch")
	u := s.s3(s.user(t, "u", `{"Version":"2012-10-17","Statement":[
	 {"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::bucket/home/${aws:username}/*"},
	 {"Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::bucket","Condition":{"StringLike":{"s3:prefix":"home/${aws:username}/*"}}},
	 {"Effect":"Deny","Action":"s3:PutObject","Resource":"*","Condition":{"StringNotEquals":{"s3:x-amz-server-side-encryption":"aws:kms"}}}]}`))
	got(u.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: aws.String("home/u/a")}))(t)
	_, err = u.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: aws.String("home/other/a")})
	refused(t, err, 403, "AccessDenied", "user/u is not authorized to perform: s3:GetObject on resource", "arn:aws:s3:::bucket/home/other/a", "no identity-based policy allows")
	got(u.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket, Prefix: aws.String("home/u/")}))(t)
	_, err = u.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket})
	refused(t, err, 403, "AccessDenied")
	_, err = u.GetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: aws.String("home/u/none")})
	refused(t, err, 403, "AccessDenied", "s3:ListBucket")
	_, err = u.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: aws.String("home/u/b"), Body: strings.NewReader("b")})
	refused(t, err, 403, "AccessDenied", "explicit deny")
	got(u.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: aws.String("home/u/b"), Body: strings.NewReader("b"), ServerSideEncryption: "aws:kms"}))(t)
	key := got(s.kms(s.root).CreateKey(ctx, &kms.CreateKeyInput{}))(t).KeyMetadata.KeyId
	_, err = u.PutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: aws.String("home/u/b"), Body: strings.NewReader("b"), ServerSideEncryption: "aws:kms", SSEKMSKeyId: key})
	refused(t, err, 403, "AccessDenied", "kms:GenerateDataKey")
	policy := `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":["arn:aws:s3:::bucket","arn:aws:s3:::bucket/*"],"Condition":{"Bool":{"aws:SecureTransport":"false"}}}}`
	got(root.PutBucketPolicy(ctx, &s3.PutBucketPolicyInput{Bucket: bucket, Policy: &policy}))(t)
	_, err = root.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: bucket})
	refused(t, err, 403, "AccessDenied", "explicit deny in a resource-based policy")
	got(root.DeleteBucketPolicy(ctx, &s3.DeleteBucketPolicyInput{Bucket: bucket}))(t)

	signer := s3.NewPresignClient(root)
	link := got(signer.PresignGetObject(ctx, &s3.GetObjectInput{Bucket: bucket, Key: aws.String("home/u/a"), ResponseContentType: aws.String("text/plain")}, s3.WithPresignExpires(soon)))(t)
	r := got(http.Get(link.URL))(t)
	if data := got(io.ReadAll(r.Body))(t); string(data) != "a" || r.Header.Get("Content-Type") != "text/plain" {
		t.Errorf("presigned: %d %s", r.StatusCode, data)
	}
	r = got(http.Get(strings.Replace(link.URL, "home/u/a", "home/u/b", 1)))(t)
	if r.StatusCode != 403 {
		t.Errorf("a tampered link: %d", r.StatusCode)
	}
	up := got(signer.PresignPutObject(ctx, &s3.PutObjectInput{Bucket: bucket, Key: aws.String("by link")}, s3.WithPresignExpires(soon)))(t)
	req := got(http.NewRequestWithContext(ctx, up.Method, up.URL, strings.NewReader("linked")))(t)
	if r := got(http.DefaultClient.Do(req))(t); r.StatusCode != 200 {
		t.Errorf("presigned put: %d", r.StatusCode)
	}
	r = got(http.Get(s.url + "/bucket/home/u/a"))(t)
	if r.StatusCode != 403 {
		t.Errorf("without a signature: %d", r.StatusCode)
	}
}

func TestS3_signedPayloads(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	ctx := t.Context()
	c := s3.NewFromConfig(aws.Config{Region: "us-east-1", BaseEndpoint: aws.String(s.url), Credentials: s.s3(s.root).Options().Credentials,
		RequestChecksumCalculation: aws.RequestChecksumCalculationWhenRequired}, func(o *s3.Options) { o.UsePathStyle = true; o.RetryMaxAttempts = 1 })
	got(c.CreateBucket(ctx, &s3.CreateBucketInput{Bucket: aws.String("bucket")}))(t)
	got(c.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("bucket"), Key: aws.String("a"), Body: strings.NewReader("signed")}))(t)
	got(c.PutObject(ctx, &s3.PutObjectInput{Bucket: aws.String("bucket"), Key: aws.String("b"), Body: strings.NewReader("not")}, s3.WithAPIOptions(v4.SwapComputePayloadSHA256ForUnsignedPayloadMiddleware)))(t)
	for key, want := range map[string]string{"a": "signed", "b": "not"} {
		o := got(c.GetObject(ctx, &s3.GetObjectInput{Bucket: aws.String("bucket"), Key: &key}))(t)
		if data := got(io.ReadAll(o.Body))(t); string(data) != want {
			t.Errorf("%s = %q", key, data)
		}
	}
}

func FuzzByteRange(f *testing.F) {
	for _, seed := range []string{"bytes=0-1", "bytes=-5", "bytes=5-", "bytes=9223372036854775807-", "bytes=--1", "bytes=1-2,3-4"} {
		f.Add(seed, int64(10))
	}
	f.Fuzz(func(t *testing.T, text string, size int64) {
		if size < 0 {
			return
		}
		offset, n, _, err := localcloud.ByteRange(text, size)
		if err == nil && (offset < 0 || n < 0 || offset > size || n > size-offset) {
			t.Errorf("%q of %d: %d,+%d", text, size, offset, n)
		}
	})
}
