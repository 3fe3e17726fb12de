package localcloud

import (
	"encoding/xml"
	"net/http"

	"tarn/cloud"
	"tarn/cloud/local"
	"tarn/fault"
)

type xmlOwnership struct {
	XMLName xml.Name `xml:"OwnershipControls"`
	Xmlns   string   `xml:"xmlns,attr,omitempty"`
	Rule    []xmlOwnershipRule
}

type xmlOwnershipRule struct{ ObjectOwnership string }

func (c *s3Call) getOwnership() error {
	o, err := c.s.Ownership(c.r.Context(), c.bucket)
	if err != nil {
		return err
	}
	return c.answer(xmlOwnership{Xmlns: s3Namespace, Rule: []xmlOwnershipRule{{o}}})
}

func (c *s3Call) putOwnership() error {
	var in xmlOwnership
	if err := c.read(&in); err != nil {
		return err
	}
	if len(in.Rule) != 1 || in.Rule[0].ObjectOwnership == "" {
		return s3Invalid("MalformedXML", "There must be exactly one rule, with an ObjectOwnership")
	}
	return c.s.PutOwnership(c.r.Context(), c.bucket, in.Rule[0].ObjectOwnership)
}

func (c *s3Call) deleteOwnership() error {
	if err := c.s.PutOwnership(c.r.Context(), c.bucket, ""); err != nil {
		return err
	}
	return c.done(http.StatusNoContent)
}

type xmlTagging struct {
	XMLName xml.Name `xml:"Tagging"`
	Xmlns   string   `xml:"xmlns,attr,omitempty"`
	TagSet  struct{ Tag []local.Tag }
}

func (c *s3Call) getBucketTagging() error {
	tags, err := c.s.BucketTags(c.r.Context(), c.bucket)
	if err != nil {
		return err
	}
	out := xmlTagging{Xmlns: s3Namespace}
	out.TagSet.Tag = tags
	return c.answer(out)
}

func (c *s3Call) putBucketTagging() error {
	var in xmlTagging
	if err := c.read(&in); err != nil {
		return err
	}
	if err := c.s.PutBucketTags(c.r.Context(), c.bucket, in.TagSet.Tag); err != nil {
		return err
	}
	return c.done(http.StatusNoContent)
}

func (c *s3Call) deleteBucketTagging() error {
	if err := c.s.PutBucketTags(c.r.Context(), c.bucket, nil); err != nil {
		return err
	}
	return c.done(http.StatusNoContent)
}

// getObjectTagging says that an object has no tags, which is what copies of objects ask for.
func (c *s3Call) getObjectTagging() error {
	if _, err := c.s.LookAt(c.r.Context(), c.bucket, c.key, "s3:GetObjectTagging"); err != nil {
		return err
	}
	return c.answer(xmlTagging{Xmlns: s3Namespace})
}

type xmlVersioning struct {
	XMLName xml.Name `xml:"VersioningConfiguration"`
	Xmlns   string   `xml:"xmlns,attr,omitempty"`
	Status  string   `xml:",omitempty"`
}

func (c *s3Call) getVersioning() error {
	if err := c.s.BucketSetting(c.r.Context(), c.bucket, "s3:GetBucketVersioning"); err != nil {
		return err
	}
	return c.answer(xmlVersioning{Xmlns: s3Namespace})
}

func (c *s3Call) putVersioning() error {
	var in xmlVersioning
	if err := c.read(&in); err != nil {
		return err
	}
	if err := c.s.BucketSetting(c.r.Context(), c.bucket, "s3:PutBucketVersioning"); err != nil {
		return err
	}
	if in.Status == "Enabled" {
		return s3NotOffered("Versioning of objects")
	}
	return nil
}

type xmlGrant struct {
	Grantee struct {
		Xsi  string `xml:"xmlns:xsi,attr"`
		Type string `xml:"xsi:type,attr"`
		ID   string
	}
	Permission string
}

func (c *s3Call) acl() error {
	var out struct {
		XMLName           xml.Name `xml:"AccessControlPolicy"`
		Xmlns             string   `xml:"xmlns,attr"`
		Owner             *s3Owner
		AccessControlList struct{ Grant []xmlGrant }
	}
	out.Xmlns, out.Owner = s3Namespace, c.owner()
	g := xmlGrant{Permission: "FULL_CONTROL"}
	g.Grantee.Xsi, g.Grantee.Type, g.Grantee.ID = "http://www.w3.org/2001/XMLSchema-instance", "CanonicalUser", c.ownerID()
	out.AccessControlList.Grant = []xmlGrant{g}
	return c.answer(out)
}

func (c *s3Call) getBucketACL() error {
	if err := c.s.BucketSetting(c.r.Context(), c.bucket, "s3:GetBucketAcl"); err != nil {
		return err
	}
	return c.acl()
}

func (c *s3Call) getObjectACL() error {
	if _, err := c.s.LookAt(c.r.Context(), c.bucket, c.key, "s3:GetObjectAcl"); err != nil {
		return err
	}
	return c.acl()
}

func (c *s3Call) putBucketACL() error {
	if err := c.s.BucketSetting(c.r.Context(), c.bucket, "s3:PutBucketAcl"); err != nil {
		return err
	}
	return c.onlyACL()
}

func (c *s3Call) putObjectACL() error {
	if _, err := c.s.LookAt(c.r.Context(), c.bucket, c.key, "s3:PutObjectAcl"); err != nil {
		return err
	}
	return c.onlyACL()
}

// onlyACL accepts the one ACL that there is.
func (c *s3Call) onlyACL() error {
	switch c.r.Header.Get("X-Amz-Acl") {
	case "private", "bucket-owner-full-control":
		return nil
	}
	return s3Invalid("AccessControlListNotSupported", "The bucket does not allow ACLs")
}

func (c *s3Call) getRequestPayment() error {
	if err := c.s.BucketSetting(c.r.Context(), c.bucket, "s3:GetBucketRequestPayment"); err != nil {
		return err
	}
	return c.answer(struct {
		XMLName xml.Name `xml:"RequestPaymentConfiguration"`
		Xmlns   string   `xml:"xmlns,attr"`
		Payer   string
	}{Xmlns: s3Namespace, Payer: "BucketOwner"})
}

func (c *s3Call) empty(action, document string) error {
	if err := c.s.BucketSetting(c.r.Context(), c.bucket, action); err != nil {
		return err
	}
	return c.answer(struct {
		XMLName xml.Name
		Xmlns   string `xml:"xmlns,attr"`
	}{XMLName: xml.Name{Local: document}, Xmlns: s3Namespace})
}

func (c *s3Call) getLogging() error { return c.empty("s3:GetBucketLogging", "BucketLoggingStatus") }

func (c *s3Call) getNotification() error {
	return c.empty("s3:GetBucketNotification", "NotificationConfiguration")
}

func (c *s3Call) getAccelerate() error {
	return c.empty("s3:GetAccelerateConfiguration", "AccelerateConfiguration")
}

// absent answers for a setting that no bucket has.
func absent(action, code, msg string) func(*s3Call) error {
	return func(c *s3Call) error {
		if err := c.s.BucketSetting(c.r.Context(), c.bucket, action); err != nil {
			return err
		}
		return &cloud.Error{Kind: fault.NotFound, Code: code, Action: action, Msg: msg}
	}
}
