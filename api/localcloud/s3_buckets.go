package localcloud

import (
	"encoding/xml"
	"io"
	"net/http"
	"strings"

	"tarn/cloud"
	"tarn/cloud/local"
	"tarn/fault"
)

func (c *s3Call) listBuckets() error {
	all, err := c.s.ListBuckets(c.r.Context())
	if err != nil {
		return err
	}
	type bucket struct{ Name, CreationDate, BucketRegion, BucketArn string }
	var out struct {
		XMLName xml.Name `xml:"ListAllMyBucketsResult"`
		Xmlns   string   `xml:"xmlns,attr"`
		Owner   *s3Owner
		Buckets struct{ Bucket []bucket }
		Prefix  string `xml:",omitempty"`
	}
	out.Xmlns, out.Owner, out.Prefix = s3Namespace, c.owner(), c.query.Get("prefix")
	for _, b := range all {
		region := c.query.Get("bucket-region")
		if strings.HasPrefix(b.Name, out.Prefix) && (region == "" || region == b.Region) {
			out.Buckets.Bucket = append(out.Buckets.Bucket, bucket{b.Name, s3Time(b.Created), b.Region, b.ARN})
		}
	}
	return c.answer(out)
}

func (c *s3Call) createBucket() error {
	body, err := c.call.Bytes()
	if err != nil {
		return err
	}
	var in struct {
		XMLName            xml.Name `xml:"CreateBucketConfiguration"`
		LocationConstraint string
		Location           struct{ Type string }
	}
	if len(body) > 0 && xml.Unmarshal(body, &in) != nil {
		return s3Invalid("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	}
	if in.Location.Type != "" {
		return s3NotOffered("A directory bucket")
	}
	if strings.EqualFold(c.r.Header.Get("X-Amz-Bucket-Object-Lock-Enabled"), "true") {
		return s3NotOffered("Object Lock")
	}
	switch acl := c.r.Header.Get("X-Amz-Acl"); acl {
	case "", "private":
	default:
		return s3Invalid("InvalidBucketAclWithBlockPublicAccessError", "Bucket cannot have public ACLs set with BlockPublicAccess enabled")
	}
	b, err := c.s.CreateBucket(c.r.Context(), c.bucket, in.LocationConstraint, c.r.Header.Get("X-Amz-Object-Ownership"))
	if err != nil {
		return err
	}
	c.w.Header()["Location"] = []string{"/" + b.Name}
	c.w.Header()["X-Amz-Bucket-Arn"] = []string{b.ARN}
	return c.done(http.StatusOK)
}

func (c *s3Call) headBucket() error {
	b, err := c.s.HeadBucket(c.r.Context(), c.bucket)
	if err != nil {
		return err
	}
	h := c.w.Header()
	h["X-Amz-Bucket-Region"] = []string{b.Region}
	h["X-Amz-Bucket-Arn"] = []string{b.ARN}
	h["X-Amz-Access-Point-Alias"] = []string{"false"}
	h["Content-Type"] = []string{"application/xml"}
	return c.done(http.StatusOK)
}

func (c *s3Call) deleteBucket() error {
	if err := c.s.DeleteBucket(c.r.Context(), c.bucket); err != nil {
		return err
	}
	return c.done(http.StatusNoContent)
}

func (c *s3Call) getBucketLocation() error {
	region, err := c.s.BucketLocation(c.r.Context(), c.bucket)
	if err != nil {
		return err
	}
	if region == "us-east-1" {
		region = ""
	}
	return c.answer(struct {
		XMLName xml.Name `xml:"LocationConstraint"`
		Xmlns   string   `xml:"xmlns,attr"`
		Region  string   `xml:",chardata"`
	}{Xmlns: s3Namespace, Region: region})
}

type xmlPublicAccessBlock struct {
	XMLName               xml.Name `xml:"PublicAccessBlockConfiguration"`
	Xmlns                 string   `xml:"xmlns,attr,omitempty"`
	BlockPublicAcls       bool
	IgnorePublicAcls      bool
	BlockPublicPolicy     bool
	RestrictPublicBuckets bool
}

func (c *s3Call) getPublicAccessBlock() error {
	p, err := c.s.PublicAccessBlock(c.r.Context(), c.bucket)
	if err != nil {
		return err
	}
	if p == (cloud.PublicAccessBlock{}) {
		return &cloud.Error{Kind: fault.NotFound, Code: "NoSuchPublicAccessBlockConfiguration", Msg: "The public access block configuration was not found"}
	}
	return c.answer(xmlPublicAccessBlock{Xmlns: s3Namespace, BlockPublicAcls: p.BlockPublicAcls, IgnorePublicAcls: p.IgnorePublicAcls,
		BlockPublicPolicy: p.BlockPublicPolicy, RestrictPublicBuckets: p.RestrictPublicBuckets})
}

func (c *s3Call) putPublicAccessBlock() error {
	var in xmlPublicAccessBlock
	if err := c.read(&in); err != nil {
		return err
	}
	return c.s.PutPublicAccessBlock(c.r.Context(), c.bucket, cloud.PublicAccessBlock{BlockPublicAcls: in.BlockPublicAcls,
		IgnorePublicAcls: in.IgnorePublicAcls, BlockPublicPolicy: in.BlockPublicPolicy, RestrictPublicBuckets: in.RestrictPublicBuckets})
}

func (c *s3Call) deletePublicAccessBlock() error {
	if err := c.s.PutPublicAccessBlock(c.r.Context(), c.bucket, cloud.PublicAccessBlock{}); err != nil {
		return err
	}
	return c.done(http.StatusNoContent)
}

type xmlEncryption struct {
	XMLName xml.Name `xml:"ServerSideEncryptionConfiguration"`
	Xmlns   string   `xml:"xmlns,attr,omitempty"`
	Rule    []struct {
		Apply struct {
			SSEAlgorithm   string
			KMSMasterKeyID string `xml:",omitempty"`
		} `xml:"ApplyServerSideEncryptionByDefault"`
		BucketKeyEnabled bool
	}
}

func (c *s3Call) getBucketEncryption() error {
	e, err := c.s.BucketEncryption(c.r.Context(), c.bucket)
	if err != nil {
		return err
	}
	out := xmlEncryption{Xmlns: s3Namespace}
	out.Rule = make([]struct {
		Apply struct {
			SSEAlgorithm   string
			KMSMasterKeyID string `xml:",omitempty"`
		} `xml:"ApplyServerSideEncryptionByDefault"`
		BucketKeyEnabled bool
	}, 1)
	out.Rule[0].Apply.SSEAlgorithm, out.Rule[0].Apply.KMSMasterKeyID, out.Rule[0].BucketKeyEnabled = e.Algorithm, e.KMSKeyID, e.BucketKey
	return c.answer(out)
}

func (c *s3Call) putBucketEncryption() error {
	var in xmlEncryption
	if err := c.read(&in); err != nil {
		return err
	}
	if len(in.Rule) != 1 || in.Rule[0].Apply.SSEAlgorithm == "" {
		return s3Invalid("MalformedXML", "There must be exactly one rule, with an SSEAlgorithm")
	}
	r := in.Rule[0]
	return c.s.PutBucketEncryption(c.r.Context(), c.bucket, local.BucketEncryption{Algorithm: r.Apply.SSEAlgorithm, KMSKeyID: r.Apply.KMSMasterKeyID, BucketKey: r.BucketKeyEnabled})
}

func (c *s3Call) deleteBucketEncryption() error {
	if err := c.s.PutBucketEncryption(c.r.Context(), c.bucket, local.BucketEncryption{}); err != nil {
		return err
	}
	return c.done(http.StatusNoContent)
}

func (c *s3Call) getBucketPolicy() error {
	text, err := c.s.BucketPolicy(c.r.Context(), c.bucket)
	if err != nil {
		return err
	}
	c.w.Header()["Content-Type"] = []string{"application/json"}
	_, _ = io.WriteString(c.w, text)
	return nil
}

func (c *s3Call) putBucketPolicy() error {
	body, err := c.call.Bytes()
	if err != nil {
		return err
	}
	if err := checkMD5(c.r.Header, body); err != nil {
		return err
	}
	if len(body) == 0 {
		return s3Invalid("MalformedPolicy", "Policies must be valid JSON and the first byte must be '{'")
	}
	if err := c.s.PutBucketPolicy(c.r.Context(), c.bucket, string(body)); err != nil {
		return err
	}
	return c.done(http.StatusNoContent)
}

func (c *s3Call) deleteBucketPolicy() error {
	if err := c.s.PutBucketPolicy(c.r.Context(), c.bucket, ""); err != nil {
		return err
	}
	return c.done(http.StatusNoContent)
}

func (c *s3Call) getBucketPolicyStatus() error {
	public, err := c.s.BucketPolicyIsPublic(c.r.Context(), c.bucket)
	if err != nil {
		return err
	}
	return c.answer(struct {
		XMLName  xml.Name `xml:"PolicyStatus"`
		Xmlns    string   `xml:"xmlns,attr"`
		IsPublic bool
	}{Xmlns: s3Namespace, IsPublic: public})
}
