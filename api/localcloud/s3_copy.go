package localcloud

import (
	"encoding/xml"
	"net/url"
	"strings"

	"tarn/cloud/local"
)

// copySource finds the object that X-Amz-Copy-Source names, if its conditions hold. The caller closes it.
func (c *s3Call) copySource() (*local.Object, error) {
	path, version, _ := strings.Cut(c.r.Header.Get("X-Amz-Copy-Source"), "?versionId=")
	path, err := url.PathUnescape(path)
	bucket, key, ok := strings.Cut(strings.TrimPrefix(path, "/"), "/")
	if err != nil || !ok || key == "" || version != "" && version != "null" {
		return nil, s3Invalid("InvalidArgument", "Copy Source must mention the source bucket and key: sourcebucket/sourcekey")
	}
	src, err := c.s.CopySource(c.r.Context(), bucket, key)
	if err != nil {
		return nil, err
	}
	if _, err := conditions(c.r.Header, "X-Amz-Copy-Source-", src.ObjectInfo); err != nil {
		_ = src.Close()
		return nil, err
	}
	return src, nil
}

func (c *s3Call) copyObject() error {
	put, err := c.putRequest()
	if err != nil {
		return err
	}
	replace := false
	switch d := c.r.Header.Get("X-Amz-Metadata-Directive"); d {
	case "", "COPY":
	case "REPLACE":
		replace = true
	default:
		return s3Invalid("InvalidArgument", "Unknown metadata directive.")
	}
	if algorithm := c.r.Header.Get("X-Amz-Checksum-Algorithm"); algorithm != "" {
		put.Checksum.Algorithm = strings.ToUpper(algorithm)
	}
	src, err := c.copySource()
	if err != nil {
		return err
	}
	defer func() { _ = src.Close() }()
	o, err := c.s.CopyObject(c.r.Context(), local.CopyRequest{Source: src, Target: put, Replace: replace})
	if err != nil {
		return err
	}
	setSSE(c.w.Header(), o.SSE, o.KMSKeyARN, o.BucketKey)
	return c.answer(struct {
		XMLName            xml.Name `xml:"CopyObjectResult"`
		Xmlns              string   `xml:"xmlns,attr"`
		LastModified, ETag string
		xmlSums
	}{Xmlns: s3Namespace, LastModified: s3Time(o.Modified), ETag: quoted(o.ETag), xmlSums: sumsOf(o.Sums, o.SumType)})
}

func (c *s3Call) copyPart() error {
	part, err := c.partRequest()
	if err != nil {
		return err
	}
	src, err := c.copySource()
	if err != nil {
		return err
	}
	defer func() { _ = src.Close() }()
	text := c.r.Header.Get("X-Amz-Copy-Source-Range")
	offset, n, partial, err := byteRange(text, src.Size)
	if err != nil || text != "" && !partial {
		return s3Invalid("InvalidArgument", "The x-amz-copy-source-range value must be of the form bytes=first-last where first and last are the zero-based offsets of the first and last bytes to copy")
	}
	p, err := c.s.CopyPart(c.r.Context(), src, offset, n, part)
	if err != nil {
		return err
	}
	return c.answer(struct {
		XMLName            xml.Name `xml:"CopyPartResult"`
		Xmlns              string   `xml:"xmlns,attr"`
		LastModified, ETag string
	}{Xmlns: s3Namespace, LastModified: s3Time(p.Modified), ETag: quoted(p.ETag)})
}
