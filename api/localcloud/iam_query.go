package localcloud

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/xml"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"tarn/account"
	"tarn/api/edge"
	"tarn/fault"
)

// queryCall is one request of the query protocol, which IAM and STS speak: a form in, XML out.
type queryCall struct {
	*edge.Call
	ctx      context.Context
	accounts *account.Accounts
	form     url.Values
	action   string
}

// queryFace serves one service of the query protocol.
type queryFace struct {
	edge      *edge.Edge
	accounts  *account.Accounts
	service   string // of the signature's scope, and the route's name
	version   string // of the API
	namespace string
	// run answers an action with what stands in its Result element, nil for none; found is false where there is no
	// such action.
	run func(c *queryCall) (result any, found bool, err error)
}

func (f *queryFace) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	call, err := f.edge.Authenticate(w, r, f.service)
	if err != nil {
		edge.WriteQueryError(w, r, f.namespace, err)
		return
	}
	c := &queryCall{Call: call, ctx: r.Context(), accounts: f.accounts}
	if r.Method != http.MethodPost && r.Method != http.MethodGet {
		w.Header().Set("Allow", "GET, POST")
		edge.WriteQueryError(w, r, f.namespace, edge.WithStatus(http.StatusMethodNotAllowed, fault.Errorf(fault.Invalid, f.service, "the query API takes POST and GET only")))
		return
	}
	result, err := f.answer(c, r)
	if err != nil {
		edge.WriteQueryError(w, r, f.namespace, err)
		return
	}
	body, err := f.envelope(c, result)
	if err != nil {
		edge.WriteQueryError(w, r, f.namespace, err)
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	_, _ = w.Write(body)
}

func (f *queryFace) answer(c *queryCall, r *http.Request) (any, error) {
	body, err := c.Bytes()
	if err != nil {
		return nil, err
	}
	if c.form, err = url.ParseQuery(r.URL.RawQuery); err != nil {
		return nil, malformedQuery(f.service)
	}
	if len(body) > 0 {
		if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/x-www-form-urlencoded" {
			return nil, malformedQuery(f.service)
		}
		form, err := url.ParseQuery(string(body))
		if err != nil {
			return nil, malformedQuery(f.service)
		}
		for name, values := range form {
			c.form[name] = append(values, c.form[name]...)
		}
	}
	c.action = c.form.Get("Action")
	if version := c.form.Get("Version"); version != "" && version != f.version {
		return nil, f.noAction(c, version)
	}
	result, found, err := f.run(c)
	if !found {
		return nil, f.noAction(c, f.version)
	}
	return result, err
}

func malformedQuery(service string) error {
	return edge.WithCode("MalformedQueryString", fault.WithHint(
		fault.Errorf(fault.Invalid, service, "the body cannot be read as a form"), "send application/x-www-form-urlencoded"))
}

func (f *queryFace) noAction(c *queryCall, version string) error {
	if c.action == "" {
		return edge.WithCode("MissingAction", fault.Errorf(fault.Invalid, f.service, "the request has no Action"))
	}
	return edge.WithCode("InvalidAction", fault.Errorf(fault.Unsupported, f.service, "Could not find operation %s for version %s", brief(c.action), brief(version)))
}

// envelope is ACTIONResponse around ACTIONResult and the request's id.
func (f *queryFace) envelope(c *queryCall, result any) ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("<" + c.action + `Response xmlns="` + f.namespace + `">`)
	if result != nil {
		if err := xml.NewEncoder(&b).EncodeElement(result, xml.StartElement{Name: xml.Name{Local: c.action + "Result"}}); err != nil {
			return nil, fault.Errorf(fault.Internal, f.service, "the answer cannot be written: %w", err)
		}
	}
	b.WriteString("<ResponseMetadata><RequestId>" + c.RequestID + "</RequestId></ResponseMetadata></" + c.action + "Response>")
	return b.Bytes(), nil
}

// brief keeps foreign text in sentences short.
func brief(s string) string {
	if len(s) > 64 {
		return strings.ToValidUTF8(s[:64], "") + "..."
	}
	return s
}

// text is a parameter, or empty.
func (c *queryCall) text(name string) string { return c.form.Get(name) }

// need is a parameter that must be there.
func (c *queryCall) need(name string) (string, error) {
	if value := c.form.Get(name); value != "" {
		return value, nil
	}
	return "", edge.WithCode("ValidationError", fault.Errorf(fault.Invalid, "query",
		"1 validation error detected: Value null at '%s' failed to satisfy constraint: Member must not be null", lowerFirst(name)))
}

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// number is a whole number between bounds; absent where it is not there.
func (c *queryCall) number(name string, min, max, absent int) (int, error) {
	text := c.form.Get(name)
	if text == "" {
		return absent, nil
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < min || n > max {
		return 0, edge.WithCode("ValidationError", fault.Errorf(fault.Invalid, "query",
			"1 validation error detected: Value '%s' at '%s' failed to satisfy constraint: Member must have value between %d and %d", brief(text), lowerFirst(name), min, max))
	}
	return n, nil
}

// list is NAME.member.1, NAME.member.2, ... until one is missing. More than max are refused unread, since work is done
// for each before it is known whether the caller may ask.
func (c *queryCall) list(name string, max int) (values []string, err error) {
	for i := 1; ; i++ {
		value, ok := c.form[name+".member."+strconv.Itoa(i)]
		if !ok {
			return values, nil
		}
		if i > max {
			return nil, tooMany(name, max)
		}
		values = append(values, value[0])
	}
}

// tags is Tags.member.N.Key and .Value, bounded as list is.
func (c *queryCall) tags() (tags []account.Tag, err error) {
	for i := 1; ; i++ {
		at := "Tags.member." + strconv.Itoa(i)
		key, ok := c.form[at+".Key"]
		if !ok {
			return tags, nil
		}
		if i > account.MaxTags {
			return nil, tooMany("Tags", account.MaxTags)
		}
		tags = append(tags, account.Tag{Key: key[0], Value: c.form.Get(at + ".Value")})
	}
}

func tooMany(name string, max int) error {
	return edge.WithCode("ValidationError", fault.Errorf(fault.Invalid, "query",
		"1 validation error detected: Value at '%s' failed to satisfy constraint: Member must have length less than or equal to %d", lowerFirst(name), max))
}

func tagMap(tags []account.Tag) map[string]string {
	m := make(map[string]string, len(tags))
	for _, t := range tags {
		m[t.Key] = t.Value
	}
	return m
}

// members is a list in XML.
type members[T any] struct {
	Member []T `xml:"member"`
}

// page is what every list says of its pages.
type page struct {
	IsTruncated bool
	Marker      string `xml:",omitempty"`
}

// paged cuts a page of MaxItems (100 if not given) out of a list that is sorted by name, after Marker.
func paged[T any](c *queryCall, list []T, name func(T) string) ([]T, page, error) {
	max, err := c.number("MaxItems", 1, 1000, 100)
	if err != nil {
		return nil, page{}, err
	}
	if marker := c.text("Marker"); marker != "" {
		after, err := base64.RawURLEncoding.DecodeString(marker)
		if err != nil {
			return nil, page{}, edge.WithCode("ValidationError", fault.Errorf(fault.Invalid, "query", "Invalid Marker"))
		}
		start := 0
		for start < len(list) && name(list[start]) <= string(after) {
			start++
		}
		list = list[start:]
	}
	if len(list) <= max {
		return list, page{}, nil
	}
	list = list[:max]
	return list, page{true, base64.RawURLEncoding.EncodeToString([]byte(name(list[max-1])))}, nil
}
