package localcloud

import (
	"encoding/base64"
	"encoding/xml"
	"net/url"
	"strconv"
	"strings"

	"tarn/cloud/local"
)

const maxKeys = 1000

type xmlContent struct {
	Key, LastModified, ETag string
	ChecksumAlgorithm       string `xml:",omitempty"`
	ChecksumType            string `xml:",omitempty"`
	Size                    int64
	StorageClass            string
	Owner                   *s3Owner
}

type xmlPrefix struct{ Prefix string }

// listing is what the list requests have in common.
func (c *s3Call) listing(after string) (local.ListRequest, local.Listing, error) {
	r := local.ListRequest{Bucket: c.bucket, Prefix: c.query.Get("prefix"), Delimiter: c.query.Get("delimiter"), After: after, Max: maxKeys}
	if text := c.query.Get("max-keys"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			return r, local.Listing{}, s3Invalid("InvalidArgument", "max-keys must be a number from 0")
		}
		r.Max = min(n, maxKeys)
	}
	if t := c.query.Get("encoding-type"); t != "" && t != "url" {
		return r, local.Listing{}, s3Invalid("InvalidArgument", "Invalid Encoding Method specified in Request")
	}
	page, err := c.s.ListObjects(c.r.Context(), r)
	return r, page, err
}

// name writes a name as the request wants names.
func (c *s3Call) name(s string) string {
	if c.query.Get("encoding-type") != "url" {
		return s
	}
	return strings.ReplaceAll(strings.ReplaceAll(url.QueryEscape(s), "+", "%20"), "%2F", "/")
}

func (c *s3Call) contents(page local.Listing, withOwner bool) ([]xmlContent, []xmlPrefix) {
	var list []xmlContent
	for _, o := range page.Objects {
		x := xmlContent{Key: c.name(o.Key), LastModified: s3Time(o.Modified), ETag: quoted(o.ETag), Size: o.Size, StorageClass: "STANDARD",
			ChecksumAlgorithm: o.Algorithm}
		if o.Algorithm != "" {
			x.ChecksumType = o.SumType
		}
		if withOwner {
			x.Owner = c.owner()
		}
		list = append(list, x)
	}
	var prefixes []xmlPrefix
	for _, p := range page.Prefixes {
		prefixes = append(prefixes, xmlPrefix{c.name(p)})
	}
	return list, prefixes
}

func (c *s3Call) listObjectsV2() error {
	if c.query.Get("list-type") != "2" {
		return s3Invalid("InvalidArgument", "list-type must be 2")
	}
	after := c.query.Get("start-after")
	token := c.query.Get("continuation-token")
	if token != "" {
		raw, err := base64.RawURLEncoding.DecodeString(token)
		if err != nil {
			return s3Invalid("InvalidArgument", "The continuation token provided is incorrect")
		}
		after = string(raw)
	}
	r, page, err := c.listing(after)
	if err != nil {
		return err
	}
	out := struct {
		XMLName               xml.Name `xml:"ListBucketResult"`
		Xmlns                 string   `xml:"xmlns,attr"`
		Name, Prefix          string
		Delimiter             string `xml:",omitempty"`
		StartAfter            string `xml:",omitempty"`
		ContinuationToken     string `xml:",omitempty"`
		NextContinuationToken string `xml:",omitempty"`
		KeyCount, MaxKeys     int
		EncodingType          string `xml:",omitempty"`
		IsTruncated           bool
		Contents              []xmlContent
		CommonPrefixes        []xmlPrefix
	}{Xmlns: s3Namespace, Name: c.bucket, Prefix: c.name(r.Prefix), Delimiter: c.name(r.Delimiter), StartAfter: c.name(c.query.Get("start-after")),
		ContinuationToken: token, KeyCount: len(page.Objects) + len(page.Prefixes), MaxKeys: r.Max, EncodingType: c.query.Get("encoding-type"),
		IsTruncated: page.Truncated}
	if page.Truncated {
		out.NextContinuationToken = base64.RawURLEncoding.EncodeToString([]byte(page.Next))
	}
	out.Contents, out.CommonPrefixes = c.contents(page, c.query.Get("fetch-owner") == "true")
	return c.answer(out)
}

func (c *s3Call) listObjects() error {
	r, page, err := c.listing(c.query.Get("marker"))
	if err != nil {
		return err
	}
	out := struct {
		XMLName              xml.Name `xml:"ListBucketResult"`
		Xmlns                string   `xml:"xmlns,attr"`
		Name, Prefix, Marker string
		NextMarker           string `xml:",omitempty"`
		Delimiter            string `xml:",omitempty"`
		MaxKeys              int
		EncodingType         string `xml:",omitempty"`
		IsTruncated          bool
		Contents             []xmlContent
		CommonPrefixes       []xmlPrefix
	}{Xmlns: s3Namespace, Name: c.bucket, Prefix: c.name(r.Prefix), Marker: c.name(r.After), Delimiter: c.name(r.Delimiter), MaxKeys: r.Max,
		EncodingType: c.query.Get("encoding-type"), IsTruncated: page.Truncated}
	if page.Truncated && r.Delimiter != "" {
		out.NextMarker = c.name(page.Next)
	}
	out.Contents, out.CommonPrefixes = c.contents(page, true)
	return c.answer(out)
}

// listVersions lists every object as its own only version, which is what a bucket without versioning has.
func (c *s3Call) listVersions() error {
	r, page, err := c.listing(c.query.Get("key-marker"))
	if err != nil {
		return err
	}
	type version struct {
		xmlContent
		VersionId string
		IsLatest  bool
	}
	out := struct {
		XMLName                                  xml.Name `xml:"ListVersionsResult"`
		Xmlns                                    string   `xml:"xmlns,attr"`
		Name, Prefix, KeyMarker, VersionIdMarker string
		NextKeyMarker                            string `xml:",omitempty"`
		NextVersionIdMarker                      string `xml:",omitempty"`
		Delimiter                                string `xml:",omitempty"`
		MaxKeys                                  int
		EncodingType                             string `xml:",omitempty"`
		IsTruncated                              bool
		Version                                  []version
		CommonPrefixes                           []xmlPrefix
	}{Xmlns: s3Namespace, Name: c.bucket, Prefix: c.name(r.Prefix), KeyMarker: c.name(r.After), Delimiter: c.name(r.Delimiter), MaxKeys: r.Max,
		EncodingType: c.query.Get("encoding-type"), IsTruncated: page.Truncated}
	if page.Truncated {
		out.NextKeyMarker, out.NextVersionIdMarker = c.name(page.Next), "null"
	}
	list, prefixes := c.contents(page, true)
	for _, x := range list {
		out.Version = append(out.Version, version{x, "null", true})
	}
	out.CommonPrefixes = prefixes
	return c.answer(out)
}
