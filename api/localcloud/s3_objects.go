package localcloud

import (
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"io"
	"net/http"
	"strconv"
	"strings"

	"tarn/cloud/local"
)

func encryptionContext(text string) (map[string]string, error) {
	raw, err := base64.StdEncoding.DecodeString(text)
	var out map[string]string
	if err == nil {
		err = json.Unmarshal(raw, &out)
	}
	if err != nil {
		return nil, s3Invalid("InvalidArgument", "The x-amz-server-side-encryption-context header is not the base64 of a JSON object with string values.")
	}
	return out, nil
}

func (c *s3Call) putObject() error {
	put, err := c.putRequest()
	if err != nil {
		return err
	}
	if put.Size, err = c.size(); err != nil {
		return err
	}
	if put.MD5, err = contentMD5(c.r.Header); err != nil {
		return err
	}
	if put.Checksum, err = c.checksum(); err != nil {
		return err
	}
	put.Body = c.call.Body
	o, err := c.s.PutObject(c.r.Context(), put)
	if err != nil {
		return err
	}
	h := c.w.Header()
	h["Etag"] = []string{quoted(o.ETag)}
	setSSE(h, o.SSE, o.KMSKeyARN, o.BucketKey)
	setSums(h, o.Sums, o.SumType)
	return c.done(http.StatusOK)
}

func (c *s3Call) headObject() error {
	o, err := c.s.HeadObject(c.r.Context(), c.bucket, c.key)
	if err != nil {
		return err
	}
	if status, err := conditions(c.r.Header, "", o); err != nil || status != 0 {
		return c.unmet(status, err, o)
	}
	h := c.w.Header()
	setObject(h, o)
	if strings.EqualFold(c.r.Header.Get("X-Amz-Checksum-Mode"), "ENABLED") {
		setSums(h, o.Sums, o.SumType)
	}
	offset, n, partial, err := byteRange(c.r.Header.Get("Range"), o.Size)
	if err != nil {
		return err
	}
	if partial {
		setRange(h, offset, n, o.Size)
	}
	h["Content-Length"] = []string{strconv.FormatInt(n, 10)}
	if partial {
		return c.done(http.StatusPartialContent)
	}
	return c.done(http.StatusOK)
}

// unmet answers a request whose conditions do not hold.
func (c *s3Call) unmet(status int, err error, o local.ObjectInfo) error {
	if err != nil {
		return err
	}
	c.w.Header()["Etag"] = []string{quoted(o.ETag)}
	c.w.Header()["Last-Modified"] = []string{o.Modified.UTC().Format(http.TimeFormat)}
	return c.done(status)
}

func (c *s3Call) getObject() error {
	o, err := c.s.GetObject(c.r.Context(), c.bucket, c.key)
	if err != nil {
		return err
	}
	defer func() { _ = o.Close() }()
	if status, err := conditions(c.r.Header, "", o.ObjectInfo); err != nil || status != 0 {
		return c.unmet(status, err, o.ObjectInfo)
	}
	offset, n, partial, err := byteRange(c.r.Header.Get("Range"), o.Size)
	if err != nil {
		return err
	}
	if text := c.query.Get("partNumber"); text != "" {
		number, err := strconv.Atoi(text)
		var ok bool
		if err == nil {
			offset, n, ok = o.PartRange(number)
		}
		if !ok {
			return s3Invalid("InvalidPartNumber", "The requested partnumber is not satisfiable")
		}
		partial = true
	}
	body, err := o.Open(c.r.Context(), offset, n)
	if err != nil {
		return err
	}
	defer func() { _ = body.Close() }()
	h := c.w.Header()
	setObject(h, o.ObjectInfo)
	if !partial && strings.EqualFold(c.r.Header.Get("X-Amz-Checksum-Mode"), "ENABLED") {
		setSums(h, o.Sums, o.SumType)
	}
	for query, header := range overrides {
		if value := c.query.Get(query); value != "" {
			h[header] = []string{value}
		}
	}
	h["Content-Length"] = []string{strconv.FormatInt(n, 10)}
	status := http.StatusOK
	if partial {
		setRange(h, offset, n, o.Size)
		status = http.StatusPartialContent
	}
	// The first bytes are read before the status goes out, so that damage shows as an error and not as a short body.
	first := make([]byte, min(n, 512))
	if _, err := io.ReadFull(body, first); err != nil {
		for name := range h {
			if strings.HasPrefix(name, "Content-") && name != "Content-Security-Policy" || strings.HasPrefix(name, "X-Amz-Checksum") {
				delete(h, name)
			}
		}
		return err
	}
	c.w.WriteHeader(status)
	if _, err := c.w.Write(first); err != nil {
		return nil // the caller is gone
	}
	if _, err := body.(io.WriterTo).WriteTo(c.w); err != nil {
		panic(http.ErrAbortHandler) // the status is out: only a broken connection tells that the body is not whole
	}
	return nil
}

// overrides are the headers that a query may set in an answer.
var overrides = map[string]string{
	"response-content-type":        "Content-Type",
	"response-content-language":    "Content-Language",
	"response-expires":             "Expires",
	"response-cache-control":       "Cache-Control",
	"response-content-disposition": "Content-Disposition",
	"response-content-encoding":    "Content-Encoding",
}

func (c *s3Call) deleteObject() error {
	if err := c.deleteVersion(c.key, c.query.Get("versionId")); err != nil {
		return err
	}
	return c.done(http.StatusNoContent)
}

// deleteVersion deletes an object, whose only version is called null: a wish for another must not end it.
func (c *s3Call) deleteVersion(key, version string) error {
	if version != "" && version != "null" {
		return s3Invalid("InvalidArgument", "Invalid version id specified")
	}
	return c.s.DeleteObject(c.r.Context(), c.bucket, key)
}

// maxDelete is how many objects one DeleteObjects may name.
const maxDelete = 1000

func (c *s3Call) deleteObjects() error {
	var in struct {
		XMLName xml.Name `xml:"Delete"`
		Quiet   bool
		Object  []struct{ Key, VersionId string }
	}
	if err := c.read(&in); err != nil {
		return err
	}
	if len(in.Object) == 0 || len(in.Object) > maxDelete {
		return s3Invalid("MalformedXML", "The request must name 1 to 1000 objects")
	}
	type deleted struct{ Key string }
	type failed struct{ Key, Code, Message string }
	out := struct {
		XMLName xml.Name `xml:"DeleteResult"`
		Xmlns   string   `xml:"xmlns,attr"`
		Deleted []deleted
		Error   []failed
	}{Xmlns: s3Namespace}
	for _, o := range in.Object {
		err := c.deleteVersion(o.Key, o.VersionId)
		if code, msg, told := s3Told(err); told {
			if code == "NoSuchBucket" {
				return err
			}
			out.Error = append(out.Error, failed{o.Key, code, msg})
		} else if err != nil {
			return err
		} else if !in.Quiet {
			out.Deleted = append(out.Deleted, deleted{o.Key})
		}
	}
	return c.answer(out)
}

// getAttributes needs both s3:GetObject and s3:GetObjectAttributes.
func (c *s3Call) getAttributes() error {
	if _, err := c.s.LookAt(c.r.Context(), c.bucket, c.key, "s3:GetObjectAttributes"); err != nil {
		return err
	}
	o, err := c.s.HeadObject(c.r.Context(), c.bucket, c.key)
	if err != nil {
		return err
	}
	type parts struct {
		TotalPartsCount int `xml:"PartsCount"`
	}
	var out struct {
		XMLName      xml.Name `xml:"GetObjectAttributesResponse"`
		Xmlns        string   `xml:"xmlns,attr"`
		ETag         string   `xml:",omitempty"`
		Checksum     *xmlSums
		ObjectParts  *parts
		StorageClass string `xml:",omitempty"`
		ObjectSize   *int64
	}
	out.Xmlns = s3Namespace
	for part := range strings.SplitSeq(strings.Join(c.r.Header["X-Amz-Object-Attributes"], ","), ",") {
		switch strings.TrimSpace(part) {
		case "ETag":
			out.ETag = o.ETag
		case "Checksum":
			if len(o.Sums) > 0 {
				s := sumsOf(o.Sums, o.SumType)
				out.Checksum = &s
			}
		case "ObjectParts":
			if o.Parts > 0 {
				out.ObjectParts = &parts{o.Parts}
			}
		case "StorageClass":
			out.StorageClass = "STANDARD"
		case "ObjectSize":
			out.ObjectSize = &o.Size
		default:
			return s3Invalid("InvalidArgument", "Invalid attribute name specified.")
		}
	}
	c.w.Header()["Last-Modified"] = []string{o.Modified.UTC().Format(http.TimeFormat)}
	return c.answer(out)
}
