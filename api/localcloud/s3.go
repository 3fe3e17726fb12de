package localcloud

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tarn/api/edge"
	"tarn/cloud"
	"tarn/cloud/local"
	"tarn/fault"
)

const s3Namespace = "http://s3.amazonaws.com/doc/2006-03-01/"

// s3Face answers S3's REST API in path style.
type s3Face struct {
	cloud *local.Cloud
	edge  *edge.Edge
}

// NewS3 is the S3 endpoint of the embedded cloud.
func NewS3(c *local.Cloud, e *edge.Edge) http.Handler { return &s3Face{c, e} }

// s3Call is one request to S3 and what answers it.
type s3Call struct {
	w           http.ResponseWriter
	r           *http.Request
	query       url.Values
	call        *edge.Call
	s           *local.Session
	bucket, key string
}

// ServeHTTP implements http.Handler.
func (f *s3Face) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if err := f.serve(w, r); err != nil {
		edge.WriteS3Error(w, r, s3Status(err))
	}
}

func (f *s3Face) serve(w http.ResponseWriter, r *http.Request) error {
	call, err := f.edge.Authenticate(w, r, "s3")
	if err != nil {
		return err
	}
	query, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return s3Invalid("InvalidURI", "Couldn't parse the specified URI.")
	}
	c := &s3Call{w: w, r: r, query: query, call: call}
	c.bucket, c.key, _ = strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	kind := "REST-HEADER"
	if call.Auth.Presigned {
		kind = "REST-QUERY-STRING"
	}
	known := call.Context(edge.Fact{Key: "s3:signatureversion", Values: []string{"AWS4-HMAC-SHA256"}}, edge.Fact{Key: "s3:authtype", Values: []string{kind}})
	if sum := r.Header.Get("X-Amz-Content-Sha256"); sum != "" {
		known.Set("s3:x-amz-content-sha256", sum)
	}
	c.s = f.cloud.As(local.Caller{Principal: call.Principal, Grant: call.Grant, Context: known, When: call.When})
	row, allowed, err := findS3Route(r.Method, c.bucket, c.key, query, r.Header)
	if err != nil {
		if allowed != nil {
			w.Header().Set("Allow", strings.Join(allowed, ", "))
		}
		return err
	}
	if want := r.Header.Get("X-Amz-Expected-Bucket-Owner"); want != "" && want != c.s.Account() {
		return &cloud.Error{Kind: fault.Denied, Code: "AccessDenied", Msg: "The bucket is not owned by the expected account."}
	}
	edge.SetRoute(r.Context(), "s3."+row.Action)
	return row.handle(c)
}

// s3Statuses are the HTTP statuses of codes that do not follow from their kind.
var s3Statuses = map[string]int{
	"InvalidRange":                    http.StatusRequestedRangeNotSatisfiable,
	"MissingContentLength":            http.StatusLengthRequired,
	"MethodNotAllowed":                http.StatusMethodNotAllowed,
	"InvalidEncryptionAlgorithmError": http.StatusBadRequest,
	"EntityTooLarge":                  http.StatusBadRequest,
	"BucketNotEmpty":                  http.StatusConflict,
}

// s3Status gives an error the status that S3 gives its code.
func s3Status(err error) error {
	var e *cloud.Error
	if !errors.As(err, &e) {
		return err
	}
	if strings.HasPrefix(e.Code, "KMS.") {
		return edge.WithStatus(http.StatusBadRequest, err)
	}
	if status, ok := s3Statuses[e.Code]; ok {
		return edge.WithStatus(status, err)
	}
	return err
}

func s3Invalid(code, msg string) error {
	return &cloud.Error{Kind: fault.Invalid, Code: code, Msg: msg}
}

func s3NotOffered(what string) error {
	return &cloud.Error{Kind: fault.Unsupported, Code: "NotImplemented", Msg: what + " is not offered by the embedded cloud."}
}

// answer sends an XML document.
func (c *s3Call) answer(v any) error {
	body, err := xml.Marshal(v)
	if err != nil {
		return fault.Errorf(fault.Internal, "localcloud.s3", "%w", err)
	}
	c.w.Header()["Content-Type"] = []string{"application/xml"}
	_, _ = io.Copy(c.w, io.MultiReader(strings.NewReader(xml.Header), bytes.NewReader(body))) // the caller may be gone
	return nil
}

// done answers without a body.
func (c *s3Call) done(status int) error {
	c.w.WriteHeader(status)
	return nil
}

// read reads the body as an XML document.
func (c *s3Call) read(v any) error {
	body, err := c.call.Bytes()
	if err != nil {
		return err
	}
	if err := checkMD5(c.r.Header, body); err != nil {
		return err
	}
	if len(body) == 0 || xml.Unmarshal(body, v) != nil {
		return s3Invalid("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	}
	return nil
}

// ownerID is the canonical id of the account.
func (c *s3Call) ownerID() string {
	sum := sha256.Sum256([]byte("canonical user " + c.s.Account()))
	return hex.EncodeToString(sum[:])
}

type s3Owner struct{ ID string }

func (c *s3Call) owner() *s3Owner { return &s3Owner{c.ownerID()} }

func s3Time(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

func quoted(tag string) string { return `"` + tag + `"` }

func unquoted(tag string) string {
	return strings.Trim(strings.TrimPrefix(strings.TrimSpace(tag), "W/"), `"`)
}
