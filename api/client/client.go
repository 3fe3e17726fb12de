// Package client calls the public API of a Tarn server: HealthLake's control API, FHIR, and the S3, KMS, IAM and STS of
// the embedded cloud. The command line and the console are its users; it knows nothing that another client could not.
package client

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"tarn/access/sigv4"
	"tarn/fault"
)

// Credentials sign the calls.
type Credentials struct {
	AccessKeyID string
	Secret      string
	Token       string // of a session, else empty
}

// Config says whom to call and as whom.
type Config struct {
	Endpoint    string // http://127.0.0.1:8080, without a path
	Region      string
	Credentials Credentials
	HTTP        *http.Client // nil: one without a time limit, since exports are large
}

// Client is safe for concurrent use.
type Client struct {
	cfg  Config
	base *url.URL
}

// New makes a client; a malformed endpoint is fault.Invalid.
func New(cfg Config) (*Client, error) {
	base, err := url.Parse(cfg.Endpoint)
	if err != nil || base.Host == "" || base.Scheme != "http" && base.Scheme != "https" {
		return nil, fault.Errorf(fault.Invalid, "client", "endpoint %q is no URL such as http://127.0.0.1:8080", cfg.Endpoint)
	}
	if cfg.HTTP == nil {
		cfg.HTTP = &http.Client{}
	}
	return &Client{cfg: cfg, base: base}, nil
}

// Region is the Region that calls are signed for.
func (c *Client) Region() string { return c.cfg.Region }

// Endpoint is the server's base address.
func (c *Client) Endpoint() string { return strings.TrimRight(c.cfg.Endpoint, "/") }

// Ready asks the server whether it can serve requests.
func (c *Client) Ready(ctx context.Context) error {
	resp, err := c.do(ctx, call{service: "healthlake", method: http.MethodGet, path: "/readyz"})
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// Error is an answer that is no success.
type Error struct {
	Status    int
	Code      string // the service's word: ValidationException, NoSuchBucket, not-found, ...
	Message   string // a sentence for people
	RequestID string
}

// Error is code and sentence.
func (e *Error) Error() string {
	return fmt.Sprintf("%s (%s, request %s)", e.Message, e.Code, e.RequestID)
}

// Unwrap carries the kind: by the status, since that is what all protocols share.
func (e *Error) Unwrap() error {
	kind := fault.Internal
	switch {
	case strings.Contains(e.Code, "NotFound") || strings.HasPrefix(e.Code, "NoSuch"):
		kind = fault.NotFound
	case strings.HasPrefix(e.Code, "AccessDenied"):
		kind = fault.Denied
	case strings.Contains(e.Code, "Throttling"):
		kind = fault.Throttled
	case strings.Contains(e.Code, "AlreadyExists") || strings.HasPrefix(e.Code, "BucketAlready"):
		kind = fault.Exists
	case e.Status == http.StatusNotFound:
		kind = fault.NotFound
	case e.Status == http.StatusGone:
		kind = fault.Gone
	case e.Status == http.StatusForbidden:
		kind = fault.Denied
	case e.Status == http.StatusUnauthorized:
		kind = fault.Unauthentic
	case e.Status == http.StatusConflict:
		kind = fault.Conflict
	case e.Status == http.StatusPreconditionFailed:
		kind = fault.Precondition
	case e.Status >= 500:
		kind = fault.Unavailable
	case e.Status >= 400:
		kind = fault.Invalid
	}
	return &fault.Error{Op: "client", Kind: kind, Msg: e.Message}
}

// call is one request before it is signed.
type call struct {
	service string // of the signature's scope
	method  string
	path    string // not encoded
	query   url.Values
	header  http.Header
	body    io.ReadSeeker // nil: none
	size    int64
	sum     string // SHA-256 of the body in hex, where it is known; else it is made
}

// do signs and sends a call. Whoever gets the answer closes its body; an answer that is no success is an *Error.
func (c *Client) do(ctx context.Context, k call) (*http.Response, error) {
	u := *c.base
	u.Path, u.RawQuery = k.path, k.query.Encode()
	sum := k.sum
	if sum == "" {
		h := sha256.New()
		if k.body != nil {
			if _, err := io.Copy(h, k.body); err != nil {
				return nil, err
			}
			if _, err := k.body.Seek(0, io.SeekStart); err != nil {
				return nil, err
			}
		}
		sum = hex.EncodeToString(h.Sum(nil))
	}
	var body io.Reader
	if k.size > 0 {
		body = io.NopCloser(k.body)
	}
	r, err := http.NewRequestWithContext(ctx, k.method, u.String(), body)
	if err != nil {
		return nil, fault.Errorf(fault.Invalid, "client", "%v", err)
	}
	r.ContentLength = k.size
	for name, values := range k.header {
		r.Header[http.CanonicalHeaderKey(name)] = values
	}
	cred := sigv4.Credentials{AccessKeyID: c.cfg.Credentials.AccessKeyID, Secret: c.cfg.Credentials.Secret, Token: c.cfg.Credentials.Token}
	sigv4.Sign(r, cred, k.service, c.cfg.Region, sum, time.Now())
	resp, err := c.cfg.HTTP.Do(r)
	if err != nil {
		var refused *url.Error
		if errors.As(err, &refused) && ctx.Err() == nil {
			return nil, fault.WithHint(fault.Errorf(fault.Unavailable, "client", "The server at %s does not answer: %v.", c.cfg.Endpoint, refused.Err),
				"Is it running? Start it with: tarn serve")
		}
		return nil, err
	}
	if resp.StatusCode/100 == 2 || resp.StatusCode == http.StatusNotModified {
		return resp, nil
	}
	defer resp.Body.Close()
	return nil, errorOf(resp)
}

// maxError bounds how much of an error's body is read.
const maxError = 1 << 20

// errorOf reads an answer in any of the protocols' forms of error.
func errorOf(resp *http.Response) error {
	b, _ := io.ReadAll(io.LimitReader(resp.Body, maxError))
	e := &Error{Status: resp.StatusCode, Code: http.StatusText(resp.StatusCode)}
	for _, name := range []string{"X-Amzn-Requestid", "X-Amz-Request-Id"} {
		if id := resp.Header.Get(name); id != "" {
			e.RequestID = id
		}
	}
	var j struct {
		Type    string `json:"__type"`
		Message string
		Issue   []struct {
			Code        string
			Diagnostics string
			Details     struct{ Text string }
			Expression  []string
		}
	}
	var x struct {
		Code    string `xml:"Code"` // S3
		Message string `xml:"Message"`
		Error   struct {
			Code    string `xml:"Code"` // IAM, STS
			Message string `xml:"Message"`
		} `xml:"Error"`
	}
	switch {
	case json.Unmarshal(b, &j) == nil:
		_, code, _ := strings.Cut(j.Type, "#")
		if code == "" {
			code = j.Type
		}
		e.Code, e.Message = code, j.Message
		var texts []string
		for _, i := range j.Issue {
			e.Code = i.Code
			text, where := i.Details.Text, i.Diagnostics
			switch {
			case text == "":
				text = where
			case where != "" && where != text:
				text += " (" + where + ")" // such as the line and column of a mistake
			}
			if len(i.Expression) > 0 && len(j.Issue) > 1 {
				text = i.Expression[0] + ": " + text
			}
			texts = append(texts, text)
		}
		switch len(texts) {
		case 0:
		case 1:
			e.Message = texts[0]
		default: // a line each
			e.Message = fmt.Sprintf("%d issues:\n  %s\n", len(texts), strings.Join(texts, "\n  "))
		}
	case xml.Unmarshal(b, &x) == nil:
		e.Code, e.Message = x.Code+x.Error.Code, x.Message+x.Error.Message
	}
	if e.Message == "" {
		e.Message = "The server answered " + resp.Status + "."
	}
	return e
}

// targeted calls an AWS-JSON operation. out may be nil.
func (c *Client) targeted(ctx context.Context, service, media, target string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return fault.Wrap("client", err)
	}
	resp, err := c.do(ctx, call{service: service, method: http.MethodPost, path: "/", size: int64(len(body)), body: bytes.NewReader(body),
		header: http.Header{"Content-Type": {media}, "X-Amz-Target": {target}}})
	if err != nil {
		return err
	}
	return decode(resp, out, json.Unmarshal)
}

// asked calls an operation of a query API.
func (c *Client) asked(ctx context.Context, service, version, action string, params url.Values, out any) error {
	form := url.Values{"Action": {action}, "Version": {version}}
	for k, v := range params {
		form[k] = v
	}
	body := form.Encode()
	resp, err := c.do(ctx, call{service: service, method: http.MethodPost, path: "/", size: int64(len(body)), body: strings.NewReader(body),
		header: http.Header{"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}}})
	if err != nil {
		return err
	}
	return decode(resp, out, xml.Unmarshal)
}

func decode(resp *http.Response, out any, unmarshal func([]byte, any) error) error {
	b, err := io.ReadAll(resp.Body)
	if err = errors.Join(err, resp.Body.Close()); err != nil {
		return fault.Errorf(fault.Unavailable, "client", "The answer broke off: %v.", err)
	}
	if out == nil || len(b) == 0 {
		return nil
	}
	if err := unmarshal(b, out); err != nil {
		return fault.Errorf(fault.Internal, "client", "the answer cannot be read: %v", err)
	}
	return nil
}
