package edge

import (
	"io"
	"net/http"
	"time"

	"tarn/access"
	"tarn/access/sigv4"
	"tarn/fault"
)

// Call is one authenticated request. It is for one goroutine.
type Call struct {
	Principal access.Principal
	Grant     access.Grant
	// Body is the request's body, verified while it is read: it fails at its end where it is not what was signed, so
	// nothing may be done with it before its end was reached. An aws-chunked body is read decoded.
	Body      io.ReadCloser
	Auth      *sigv4.Authorization
	When      time.Time // of the request, by this server's clock
	Expires   time.Time // of a session; zero for a long-term key
	RequestID string

	edge    *Edge
	request *http.Request
}

// Fact is a condition key with its values, which a face knows beyond what the request itself tells.
type Fact struct {
	Key    string
	Values []string
}

// ResourceTags are the facts aws:ResourceTag/KEY of the tags on the resource.
func ResourceTags(tags map[string]string) []Fact { return tagFacts(nil, access.KeyResourceTag, tags) }

// RequestTags are the facts aws:RequestTag/KEY and aws:TagKeys of the tags that a request gives.
func RequestTags(tags map[string]string) []Fact {
	if len(tags) == 0 {
		return nil
	}
	keys := make([]string, 0, len(tags))
	for key := range tags {
		keys = append(keys, key)
	}
	return tagFacts([]Fact{{access.KeyTagKeys, keys}}, access.KeyRequestTag, tags)
}

// ResourceType is the fact tarn:ResourceType: the type of the resources that are asked for.
func ResourceType(name string) Fact { return Fact{access.KeyResourceType, []string{name}} }

func tagFacts(facts []Fact, prefix string, tags map[string]string) []Fact {
	for key, value := range tags {
		facts = append(facts, Fact{prefix + key, []string{value}})
	}
	return facts
}

// Context is what is known of the request for conditions: aws:SourceIp, aws:SecureTransport, aws:UserAgent, aws:Referer,
// aws:RequestedRegion, and the facts. What the principal says of itself, and the time, comes from elsewhere: see
// access.Request. The caller owns it.
func (c *Call) Context(facts ...Fact) access.Context {
	var ctx access.Context
	ctx.Set(access.KeySourceIP, c.edge.sourceIP(c.request))
	secure := "false"
	if c.edge.isSecure(c.request) {
		secure = "true"
	}
	ctx.Set(access.KeySecureTransport, secure)
	ctx.Set(access.KeyRequestedRegion, c.Auth.Region)
	if agent := c.request.Header["User-Agent"]; len(agent) > 0 {
		ctx.Set(access.KeyUserAgent, agent[0])
	}
	if referer := c.request.Header["Referer"]; len(referer) > 0 {
		ctx.Set(access.KeyReferer, referer[0])
	}
	for _, f := range facts {
		ctx.Set(f.Key, f.Values...)
	}
	return ctx
}

// Request is the question whether the caller may do action to resource, for faces whose resources have policies of
// their own (access.Decide, access.DecideGated).
func (c *Call) Request(action, resource string, facts ...Fact) *access.Request {
	return &access.Request{Principal: c.Principal, Action: action, Resource: resource, Owner: c.edge.cfg.Account, When: c.When,
		Context: c.Context(facts...)}
}

// Authorize says whether the caller's own policies allow action on resource, an ARN or "*"; it is for services whose
// resources have no policies (healthlake, iam, sts). The error is fault.Denied and says what AWS says.
func (c *Call) Authorize(action, resource string, facts ...Fact) error {
	r := c.Request(action, resource, facts...)
	return access.Decide(r, c.Grant, nil).Err("edge.Authorize", r)
}

// PassRole says whether the caller may hand the role to the service, such as healthlake.amazonaws.com.
func (c *Call) PassRole(roleARN, service string) error {
	return c.Authorize("iam:PassRole", roleARN, Fact{access.KeyPassedToService, []string{service}})
}

// Bytes reads the whole body. The error is fault.TooLarge over the bound of the face, fault.Unauthentic where the body
// is not what was signed, and fault.Invalid where it breaks off.
func (c *Call) Bytes() ([]byte, error) {
	var body []byte
	var err error
	limit := c.edge.bodyLimit(c.request)
	if n := c.request.ContentLength; n >= 0 && n <= limit {
		body = make([]byte, n, n+1)
		_, err = io.ReadFull(c.Body, body)
		if err == nil { // the end must be seen, for it is there that the body is verified
			var extra [1]byte
			n, more := c.Body.Read(extra[:])
			if err = more; more == io.EOF || more == nil && n == 0 {
				err = nil
			} else if n > 0 {
				err = fault.Errorf(fault.Invalid, "edge.Bytes", "the body is longer than its Content-Length")
			}
		}
	} else {
		body, err = io.ReadAll(io.LimitReader(c.Body, limit+1))
		if err == nil && int64(len(body)) > limit {
			err = tooLarge(limit)
		}
	}
	if err != nil && fault.KindOf(err) == fault.Internal {
		err = &fault.Error{Op: "edge.Bytes", Kind: fault.Invalid, Msg: "the body could not be read to its end", Err: err}
	}
	if err != nil {
		return nil, err
	}
	return body, nil
}
