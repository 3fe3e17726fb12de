package localcloud

import (
	"encoding/xml"
	"net/http"
	"strconv"

	"tarn/cloud/local"
)

func (c *s3Call) createUpload() error {
	put, err := c.putRequest()
	if err != nil {
		return err
	}
	if put.Checksum, err = c.checksum(); err != nil {
		return err
	}
	u, err := c.s.CreateUpload(c.r.Context(), put, c.r.Header.Get("X-Amz-Checksum-Type"))
	if err != nil {
		return err
	}
	h := c.w.Header()
	setSSE(h, u.SSE, u.KMSKeyARN, put.SSE.BucketKey)
	if u.Algorithm != "" {
		h["X-Amz-Checksum-Algorithm"] = []string{u.Algorithm}
		h["X-Amz-Checksum-Type"] = []string{u.SumType}
	}
	return c.answer(struct {
		XMLName               xml.Name `xml:"InitiateMultipartUploadResult"`
		Xmlns                 string   `xml:"xmlns,attr"`
		Bucket, Key, UploadId string
	}{Xmlns: s3Namespace, Bucket: c.bucket, Key: c.key, UploadId: u.ID})
}

func (c *s3Call) partRequest() (local.PartRequest, error) {
	number, err := strconv.Atoi(c.query.Get("partNumber"))
	if err != nil {
		return local.PartRequest{}, s3Invalid("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive")
	}
	return local.PartRequest{Bucket: c.bucket, Key: c.key, Upload: c.query.Get("uploadId"), Number: number}, nil
}

func (c *s3Call) uploadPart() error {
	part, err := c.partRequest()
	if err != nil {
		return err
	}
	if part.Size, err = c.size(); err != nil {
		return err
	}
	if part.MD5, err = contentMD5(c.r.Header); err != nil {
		return err
	}
	if part.Checksum, err = c.checksum(); err != nil {
		return err
	}
	part.Body = c.call.Body
	p, err := c.s.UploadPart(c.r.Context(), part)
	if err != nil {
		return err
	}
	h := c.w.Header()
	h["Etag"] = []string{quoted(p.ETag)}
	if p.Sum != "" {
		h[sumHeader(p.Algorithm)] = []string{p.Sum}
	}
	return c.done(http.StatusOK)
}

func (c *s3Call) abortUpload() error {
	if err := c.s.AbortUpload(c.r.Context(), c.bucket, c.key, c.query.Get("uploadId")); err != nil {
		return err
	}
	return c.done(http.StatusNoContent)
}

func (c *s3Call) completeUpload() error {
	var in struct {
		XMLName xml.Name `xml:"CompleteMultipartUpload"`
		Part    []struct {
			PartNumber int
			ETag       string
			xmlSums
		}
	}
	if err := c.read(&in); err != nil {
		return err
	}
	r := local.CompleteRequest{Bucket: c.bucket, Key: c.key, Upload: c.query.Get("uploadId"), IfMatch: unquoted(c.r.Header.Get("If-Match")),
		IfNoneMatch: c.r.Header.Get("If-None-Match") == "*"}
	for _, p := range in.Part {
		part := local.Part{Number: p.PartNumber, ETag: unquoted(p.ETag)}
		for _, algorithm := range local.ChecksumAlgorithms() {
			if sum := p.of(algorithm); sum != "" {
				part.Sum = sum
			}
		}
		r.Parts = append(r.Parts, part)
	}
	sum, err := c.checksum()
	if err != nil {
		return err
	}
	r.Checksum = sum
	o, err := c.s.CompleteUpload(c.r.Context(), r)
	if err != nil {
		return err
	}
	setSSE(c.w.Header(), o.SSE, o.KMSKeyARN, o.BucketKey)
	return c.answer(struct {
		XMLName                     xml.Name `xml:"CompleteMultipartUploadResult"`
		Xmlns                       string   `xml:"xmlns,attr"`
		Location, Bucket, Key, ETag string
		xmlSums
	}{Xmlns: s3Namespace, Location: "/" + c.bucket + "/" + c.key, Bucket: c.bucket, Key: c.key, ETag: quoted(o.ETag), xmlSums: sumsOf(o.Sums, o.SumType)})
}

func (c *s3Call) number(name string, otherwise int) (int, error) {
	text := c.query.Get(name)
	if text == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 0 {
		return 0, s3Invalid("InvalidArgument", name+" must be a number from 0")
	}
	return n, nil
}

func (c *s3Call) listParts() error {
	limit, err := c.number("max-parts", maxKeys)
	if err != nil {
		return err
	}
	after, err := c.number("part-number-marker", 0)
	if err != nil {
		return err
	}
	limit = min(limit, maxKeys)
	u, parts, more, err := c.s.ListParts(c.r.Context(), c.bucket, c.key, c.query.Get("uploadId"), after, limit)
	if err != nil {
		return err
	}
	type part struct {
		PartNumber         int
		LastModified, ETag string
		Size               int64
		xmlSums
	}
	out := struct {
		XMLName               xml.Name `xml:"ListPartsResult"`
		Xmlns                 string   `xml:"xmlns,attr"`
		Bucket, Key, UploadId string
		Initiator, Owner      *s3Owner
		StorageClass          string
		PartNumberMarker      int
		NextPartNumberMarker  int
		MaxParts              int
		IsTruncated           bool
		Part                  []part
		ChecksumAlgorithm     string `xml:",omitempty"`
		ChecksumType          string `xml:",omitempty"`
	}{Xmlns: s3Namespace, Bucket: c.bucket, Key: c.key, UploadId: u.ID, Initiator: c.owner(), Owner: c.owner(), StorageClass: "STANDARD",
		PartNumberMarker: after, MaxParts: limit, IsTruncated: more, ChecksumAlgorithm: u.Algorithm, ChecksumType: u.SumType}
	for _, p := range parts {
		x := part{PartNumber: p.Number, LastModified: s3Time(p.Modified), ETag: quoted(p.ETag), Size: p.Size}
		if p.Sum != "" {
			x.xmlSums = sumsOf(map[string]string{p.Algorithm: p.Sum}, "")
		}
		out.Part = append(out.Part, x)
		out.NextPartNumberMarker = p.Number
	}
	return c.answer(out)
}

func (c *s3Call) listUploads() error {
	limit, err := c.number("max-uploads", maxKeys)
	if err != nil {
		return err
	}
	limit = min(limit, maxKeys)
	all, err := c.s.ListUploads(c.r.Context(), c.bucket, c.query.Get("prefix"))
	if err != nil {
		return err
	}
	type upload struct {
		Key, UploadId     string
		Initiator, Owner  *s3Owner
		StorageClass      string
		Initiated         string
		ChecksumAlgorithm string `xml:",omitempty"`
		ChecksumType      string `xml:",omitempty"`
	}
	out := struct {
		XMLName                           xml.Name `xml:"ListMultipartUploadsResult"`
		Xmlns                             string   `xml:"xmlns,attr"`
		Bucket, KeyMarker, UploadIdMarker string
		NextKeyMarker, NextUploadIdMarker string `xml:",omitempty"`
		Prefix                            string
		EncodingType                      string `xml:",omitempty"`
		MaxUploads                        int
		IsTruncated                       bool
		Upload                            []upload
	}{Xmlns: s3Namespace, Bucket: c.bucket, KeyMarker: c.query.Get("key-marker"), UploadIdMarker: c.query.Get("upload-id-marker"),
		Prefix: c.name(c.query.Get("prefix")), EncodingType: c.query.Get("encoding-type"), MaxUploads: limit}
	for _, u := range all {
		if u.Key < out.KeyMarker || u.Key == out.KeyMarker && u.ID <= out.UploadIdMarker || u.Key == out.KeyMarker && out.UploadIdMarker == "" && out.KeyMarker != "" {
			continue
		}
		if len(out.Upload) == limit {
			out.IsTruncated = true
			break
		}
		out.Upload = append(out.Upload, upload{c.name(u.Key), u.ID, c.owner(), c.owner(), "STANDARD", s3Time(u.Started), u.Algorithm, u.SumType})
		out.NextKeyMarker, out.NextUploadIdMarker = u.Key, u.ID
	}
	if !out.IsTruncated {
		out.NextKeyMarker, out.NextUploadIdMarker = "", ""
	}
	out.KeyMarker, out.NextKeyMarker = c.name(out.KeyMarker), c.name(out.NextKeyMarker)
	return c.answer(out)
}
