package sigv4

import (
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"tarn/fault"
)

// Authorization is what a request says of its signature, not yet verified but for its form. It is for one request and
// one goroutine.
type Authorization struct {
	AccessKeyID   string
	Date          string // of the scope: 20060102
	Region        string
	Service       string
	SignedHeaders []string // in lower case, in the signer's order
	Signature     string   // 64 lower-case hex digits
	Time          time.Time
	Presigned     bool          // the signature stands in the query
	Expires       time.Duration // of a presigned URL, from Time on
	Token         string        // session token that came along, or empty
	Mode          Mode
	// PayloadHash is the last line of the canonical request: a hash in hex or one of AWS's words. It is empty where
	// the request does not say it (most services but S3): then Buffer must find it out before Verify.
	PayloadHash string
	// DecodedLength is how long an aws-chunked body is once decoded (x-amz-decoded-content-length); -1 for others.
	DecodedLength int64

	amzDate string   // Time as it was written
	key     [32]byte // signing key, once verified
	ready   bool     // verified
}

// Scope is the credential scope: date/region/service/aws4_request.
func (a *Authorization) Scope() string {
	return a.Date + "/" + a.Region + "/" + a.Service + "/" + terminal
}

// NeedsBody reports whether the signature can only be verified when the whole body is known: see Buffer.
func (a *Authorization) NeedsBody() bool { return a.PayloadHash == "" }

// IsSigned reports whether a request tries to say who it is at all, by header or by query.
func IsSigned(r *http.Request) bool {
	return r.Header.Get("Authorization") != "" || strings.Contains(r.URL.RawQuery, "X-Amz-Algorithm=") ||
		strings.Contains(r.URL.RawQuery, "X-Amz-Signature=") || strings.Contains(r.URL.RawQuery, "AWSAccessKeyId=")
}

// Parse reads the signature's form from the Authorization header or, where there is none, from the query. Its errors
// carry a Code, such as MissingAuthenticationToken or IncompleteSignature.
func Parse(r *http.Request) (*Authorization, error) {
	a := &Authorization{}
	var err error
	switch header := r.Header["Authorization"]; {
	case len(header) > 1:
		err = refuse(IncompleteSignature, "there are %d Authorization headers", len(header))
	case len(header) == 1:
		err = a.parseHeader(r, header[0])
	case strings.Contains(r.URL.RawQuery, "AWSAccessKeyId="):
		err = refuseVersion2()
	case IsSigned(r):
		err = a.parseQuery(r)
	default:
		err = refuse(MissingAuthenticationToken, "Request is missing Authentication Token")
	}
	if err != nil {
		return nil, err
	}
	if err := a.parsePayload(r); err != nil {
		return nil, err
	}
	return a, nil
}

func (a *Authorization) parseHeader(r *http.Request, header string) error {
	scheme, rest, _ := strings.Cut(header, " ")
	if scheme == "AWS" {
		return refuseVersion2()
	}
	if scheme != algorithm {
		return refuse(IncompleteSignature, "Authorization header must begin with %s", algorithm)
	}
	var credential, signed, signature string
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		var field *string
		switch name {
		case "Credential":
			field = &credential
		case "SignedHeaders":
			field = &signed
		case "Signature":
			field = &signature
		default:
			return refuse(IncompleteSignature, "Authorization header has an unknown part %q", brief(name))
		}
		if *field != "" {
			return refuse(IncompleteSignature, "Authorization header has '%s' twice", name)
		}
		*field = value
	}
	date := r.Header.Get("X-Amz-Date")
	if date == "" {
		if t, err := http.ParseTime(r.Header.Get("Date")); err == nil {
			date = t.UTC().Format(timeForm)
		}
	}
	a.Token = r.Header.Get("X-Amz-Security-Token")
	return a.set(credential, signed, signature, date)
}

func (a *Authorization) parseQuery(r *http.Request) error {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return refuse(IncompleteSignature, "the query of the presigned URL cannot be read")
	}
	for _, name := range []string{"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-SignedHeaders", "X-Amz-Signature"} {
		if n := len(q[name]); n != 1 {
			return refuse(IncompleteSignature, "the query of a presigned URL must have %s once, it has it %d times", name, n)
		}
	}
	if q.Get("X-Amz-Algorithm") != algorithm {
		return refuse(IncompleteSignature, "X-Amz-Algorithm must be %s", algorithm)
	}
	a.Presigned = true
	a.Token = q.Get("X-Amz-Security-Token")
	a.Expires = MaxSkew // services other than S3 may leave it out
	if text, ok := q["X-Amz-Expires"]; ok {
		seconds, err := strconv.ParseUint(text[0], 10, 32)
		if err != nil || len(text) > 1 || seconds < 1 || seconds > uint64(MaxExpires/time.Second) {
			return refuse(IncompleteSignature, "X-Amz-Expires must be a number of seconds from 1 to %d", MaxExpires/time.Second)
		}
		a.Expires = time.Duration(seconds) * time.Second
	}
	return a.set(q.Get("X-Amz-Credential"), q.Get("X-Amz-SignedHeaders"), q.Get("X-Amz-Signature"), q.Get("X-Amz-Date"))
}

// refuseVersion2 answers the signatures of old: AWS CLI 1 still makes them for presigned URLs of foreign endpoints.
func refuseVersion2() error {
	return fault.WithHint(refuse(UnsupportedSignature, "The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256."),
		"with AWS CLI 1: aws configure set default.s3.signature_version s3v4")
}

// set checks and takes the parts that both ways have in common.
func (a *Authorization) set(credential, signed, signature, date string) error {
	switch {
	case credential == "":
		return refuse(IncompleteSignature, "Authorization requires 'Credential' parameter")
	case signed == "":
		return refuse(IncompleteSignature, "Authorization requires 'SignedHeaders' parameter")
	case signature == "":
		return refuse(IncompleteSignature, "Authorization requires 'Signature' parameter")
	case date == "":
		return refuse(IncompleteSignature, "Authorization requires existence of either a 'X-Amz-Date' or a 'Date' header")
	}
	when, err := time.Parse(timeForm, date)
	if err != nil {
		return refuse(IncompleteSignature, "Date must be in ISO-8601 'basic format', such as 20060102T150405Z")
	}
	// An access key has no slash, yet what a foreign signer takes for one may.
	parts := strings.Split(credential, "/")
	n := len(parts)
	if n < 5 || parts[n-1] != terminal {
		return refuse(IncompleteSignature, "Credential must be ACCESSKEY/DATE/REGION/SERVICE/%s", terminal)
	}
	a.AccessKeyID = strings.Join(parts[:n-4], "/")
	a.Date, a.Region, a.Service = parts[n-4], parts[n-3], parts[n-2]
	if a.AccessKeyID == "" || a.Region == "" || a.Service == "" {
		return refuse(IncompleteSignature, "Credential must be ACCESSKEY/DATE/REGION/SERVICE/%s", terminal)
	}
	if !strings.HasPrefix(date, a.Date) || len(a.Date) != len(dateForm) {
		return refuse(SignatureDoesNotMatch, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: %q != %q", brief(a.Date), date[:len(dateForm)])
	}
	if !isHexHash(signature) {
		return refuse(SignatureDoesNotMatch, "the signature must be 64 lower-case hexadecimal digits")
	}
	a.Time, a.amzDate, a.Signature = when, date, signature
	return a.setHeaders(signed)
}

func (a *Authorization) setHeaders(signed string) error {
	a.SignedHeaders = strings.Split(signed, ";")
	hasHost := false
	for i, name := range a.SignedHeaders {
		for j := range len(name) {
			if c := name[j]; c <= ' ' || c >= 0x7f || c >= 'A' && c <= 'Z' {
				return refuse(IncompleteSignature, "SignedHeaders must be names in lower case, divided by ';'")
			}
		}
		if name == "" || i > 0 && a.SignedHeaders[i-1] >= name {
			return refuse(IncompleteSignature, "SignedHeaders must be sorted, each name once")
		}
		hasHost = hasHost || name == "host"
	}
	if !hasHost {
		return refuse(HeadersNotSigned, "'Host' must be a 'SignedHeader' in the AWS Authorization")
	}
	return nil
}

// parsePayload finds how the body is protected.
func (a *Authorization) parsePayload(r *http.Request) error {
	values := r.Header["X-Amz-Content-Sha256"]
	if len(values) > 1 {
		return refuse(IncompleteSignature, "there are %d x-amz-content-sha256 headers", len(values))
	}
	byQuery := a.Presigned && a.Service == "s3"
	if len(values) == 1 && (!byQuery || slices.Contains(a.SignedHeaders, "x-amz-content-sha256")) {
		a.PayloadHash = values[0]
	} else if byQuery {
		a.PayloadHash = UnsignedPayload
		if v := r.URL.Query().Get("X-Amz-Content-Sha256"); v != "" {
			a.PayloadHash = v
		}
	}
	mode, ok := modeOf(a.PayloadHash)
	switch {
	case !ok:
		return refuse(IncompleteSignature, "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, a STREAMING- value that is offered, or a valid sha256 value")
	case mode != Hashed && a.Service != "s3":
		return refuse(SignatureDoesNotMatch, "the service %s takes only requests whose body is part of the signature", brief(a.Service))
	case a.PayloadHash == "" && a.Service == "s3":
		return refuse(IncompleteSignature, "Missing required header for this request: x-amz-content-sha256")
	case mode.isChunked() && a.Presigned:
		return refuse(IncompleteSignature, "a presigned request cannot have an aws-chunked body")
	}
	a.Mode, a.DecodedLength = mode, -1
	if mode.isChunked() {
		n, err := strconv.ParseUint(r.Header.Get("X-Amz-Decoded-Content-Length"), 10, 63)
		if err != nil {
			return refuse(MalformedChunk, "an aws-chunked body needs x-amz-decoded-content-length, its length in bytes once decoded")
		}
		a.DecodedLength = int64(n)
	}
	return nil
}

// brief keeps foreign text in messages short.
func brief(s string) string {
	if len(s) > 64 {
		return s[:64] + "..."
	}
	return s
}
