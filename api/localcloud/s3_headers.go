package localcloud

import (
	"crypto/md5"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"

	"tarn/cloud/local"
)

const (
	headerSSE     = "X-Amz-Server-Side-Encryption"
	headerSSEKey  = "X-Amz-Server-Side-Encryption-Aws-Kms-Key-Id"
	headerSSECtx  = "X-Amz-Server-Side-Encryption-Context"
	headerSSEBKey = "X-Amz-Server-Side-Encryption-Bucket-Key-Enabled"
	headerSum     = "X-Amz-Checksum-"
)

// checkMD5 holds a small body against Content-MD5.
func checkMD5(h http.Header, body []byte) error {
	want, err := contentMD5(h)
	if err != nil || want == nil {
		return err
	}
	if got := md5.Sum(body); string(got[:]) != string(want) {
		return s3Invalid("BadDigest", "The Content-MD5 you specified did not match what we received.")
	}
	return nil
}

func contentMD5(h http.Header) ([]byte, error) {
	text := h.Get("Content-Md5")
	if text == "" {
		return nil, nil
	}
	sum, err := base64.StdEncoding.DecodeString(text)
	if err != nil || len(sum) != md5.Size {
		return nil, s3Invalid("InvalidDigest", "The Content-MD5 you specified is not valid.")
	}
	return sum, nil
}

// sumHeader is the header of a checksum.
func sumHeader(algorithm string) string { return http.CanonicalHeaderKey(headerSum + algorithm) }

// checksum is the checksum that a request's body comes with, in a header or behind the body.
func (c *s3Call) checksum() (local.Checksum, error) {
	var found local.Checksum
	for _, algorithm := range local.ChecksumAlgorithms() {
		if value := c.r.Header.Get(sumHeader(algorithm)); value != "" {
			if found.Algorithm != "" {
				return found, s3Invalid("InvalidRequest", "Expecting a single x-amz-checksum- header. Multiple checksum Types are not allowed.")
			}
			found = local.Checksum{Algorithm: algorithm, Value: value}
		}
	}
	if found.Algorithm != "" {
		return found, nil
	}
	if name := strings.TrimSpace(c.r.Header.Get("X-Amz-Trailer")); name != "" {
		if algorithm, ok := strings.CutPrefix(strings.ToLower(name), "x-amz-checksum-"); ok {
			trailer, _ := c.call.Body.(interface{ Trailer() http.Header })
			if trailer == nil {
				return found, s3Invalid("InvalidRequest", "A checksum was announced for the trailer, but the body has none: it is not aws-chunked.")
			}
			return local.Checksum{Algorithm: strings.ToUpper(algorithm), Trailer: func() string { return trailer.Trailer().Get(name) }}, nil
		}
	}
	for _, name := range []string{"X-Amz-Sdk-Checksum-Algorithm", "X-Amz-Checksum-Algorithm"} {
		if algorithm := c.r.Header.Get(name); algorithm != "" {
			return local.Checksum{Algorithm: strings.ToUpper(algorithm)}, nil
		}
	}
	return found, nil
}

// size is the length of the body, decoded.
func (c *s3Call) size() (int64, error) {
	n := c.r.ContentLength
	if c.call.Auth.DecodedLength >= 0 {
		n = c.call.Auth.DecodedLength
	}
	if n < 0 {
		return 0, s3Invalid("MissingContentLength", "You must provide the Content-Length HTTP header.")
	}
	return n, nil
}

// putRequest reads what the headers say about an object to be made; the body is left to the caller.
func (c *s3Call) putRequest() (local.PutRequest, error) {
	h := c.r.Header
	put := local.PutRequest{Bucket: c.bucket, Key: c.key, ACL: h.Get("X-Amz-Acl")}
	for name := range h {
		switch {
		case strings.HasPrefix(name, "X-Amz-Server-Side-Encryption-Customer-"):
			return put, s3NotOffered("Encryption with keys that the customer sends along (SSE-C)")
		case strings.HasPrefix(name, "X-Amz-Grant-"):
			return put, s3Invalid("AccessControlListNotSupported", "The bucket does not allow ACLs")
		case strings.HasPrefix(name, "X-Amz-Object-Lock-"):
			return put, s3NotOffered("Object Lock")
		}
	}
	if class := h.Get("X-Amz-Storage-Class"); class != "" && class != "STANDARD" {
		return put, s3Invalid("InvalidStorageClass", "The storage class you specified is not valid: there is STANDARD only")
	}
	if h.Get("X-Amz-Tagging") != "" {
		return put, s3NotOffered("Tagging of objects")
	}
	if h.Get("X-Amz-Website-Redirect-Location") != "" {
		return put, s3NotOffered("Redirection of objects")
	}
	put.SSE = local.SSE{Algorithm: h.Get(headerSSE), KMSKeyID: h.Get(headerSSEKey), BucketKey: strings.EqualFold(h.Get(headerSSEBKey), "true")}
	if text := h.Get(headerSSECtx); text != "" {
		context, err := encryptionContext(text)
		if err != nil {
			return put, err
		}
		put.SSE.Context = context
	}
	put.Headers = headersOf(h)
	size := 0
	for k, v := range put.Headers.Meta {
		size += len(k) + len(v)
	}
	if size > 2048 {
		return put, s3Invalid("MetadataTooLarge", "Your metadata headers exceed the maximum allowed metadata size")
	}
	put.IfMatch = unquoted(h.Get("If-Match"))
	if text := h.Get("If-None-Match"); text != "" {
		if text != "*" {
			return put, s3NotOffered("If-None-Match of anything but * on a put")
		}
		put.IfNoneMatch = true
	}
	return put, nil
}

func headersOf(h http.Header) local.Headers {
	out := local.Headers{ContentType: h.Get("Content-Type"), CacheControl: h.Get("Cache-Control"), ContentDisposition: h.Get("Content-Disposition"),
		ContentLanguage: h.Get("Content-Language"), Expires: h.Get("Expires")}
	var encodings []string
	for part := range strings.SplitSeq(h.Get("Content-Encoding"), ",") {
		if part = strings.TrimSpace(part); part != "" && part != "aws-chunked" {
			encodings = append(encodings, part)
		}
	}
	out.ContentEncoding = strings.Join(encodings, ",")
	for name, values := range h {
		if key, ok := strings.CutPrefix(name, "X-Amz-Meta-"); ok {
			if out.Meta == nil {
				out.Meta = map[string]string{}
			}
			out.Meta[strings.ToLower(key)] = strings.Join(values, ",")
		}
	}
	return out
}

// setSSE tells how an object is encrypted.
func setSSE(h http.Header, algorithm, keyARN string, bucketKey bool) {
	h[headerSSE] = []string{algorithm}
	if keyARN != "" {
		h[headerSSEKey] = []string{keyARN}
	}
	if bucketKey {
		h[headerSSEBKey] = []string{"true"}
	}
}

// setSums tells an object's checksums.
func setSums(h http.Header, sums map[string]string, kind string) {
	for algorithm, value := range sums {
		h[sumHeader(algorithm)] = []string{value}
		h["X-Amz-Checksum-Type"] = []string{kind}
	}
}

// setObject tells all about an object but its length.
func setObject(h http.Header, o local.ObjectInfo) {
	h["Etag"] = []string{quoted(o.ETag)}
	h["Last-Modified"] = []string{o.Modified.UTC().Format(http.TimeFormat)}
	h["Accept-Ranges"] = []string{"bytes"}
	set := func(name, value string) {
		if value != "" {
			h[name] = []string{value}
		}
	}
	contentType := o.Headers.ContentType
	if contentType == "" {
		contentType = "binary/octet-stream"
	}
	set("Content-Type", contentType)
	set("Cache-Control", o.Headers.CacheControl)
	set("Content-Disposition", o.Headers.ContentDisposition)
	set("Content-Encoding", o.Headers.ContentEncoding)
	set("Content-Language", o.Headers.ContentLanguage)
	set("Expires", o.Headers.Expires)
	for name, value := range o.Headers.Meta {
		h[http.CanonicalHeaderKey("X-Amz-Meta-"+name)] = []string{value}
	}
	if o.Parts > 0 {
		h["X-Amz-Mp-Parts-Count"] = []string{strconv.Itoa(o.Parts)}
	}
	setSSE(h, o.SSE, o.KMSKeyARN, o.BucketKey)
}
