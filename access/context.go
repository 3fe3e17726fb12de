package access

import (
	"strconv"
	"strings"
	"time"
)

// Condition keys that a face fills in where it knows them. Those of a service (s3:prefix, kms:ViaService, ...) are
// written out where they are set.
const (
	KeySourceIP        = "aws:sourceip"        // address of the caller, without port
	KeySecureTransport = "aws:securetransport" // "true" or "false"
	KeyUserAgent       = "aws:useragent"
	KeyReferer         = "aws:referer"
	KeyRequestedRegion = "aws:requestedregion"
	KeySourceAccount   = "aws:sourceaccount" // for whom a Service acts
	KeySourceARN       = "aws:sourcearn"     // for which resource a Service acts
	KeyViaService      = "aws:viaawsservice" // "true" where a service passes a principal's request on
	KeyCalledVia       = "aws:calledvia"     // the services that passed it on, first to last
	KeyTagKeys         = "aws:tagkeys"       // the keys of the tags in the request; many values
	KeyRequestTag      = "aws:requesttag/"   // + key: a tag in the request
	KeyResourceTag     = "aws:resourcetag/"  // + key: a tag on the resource
	KeyResourceType    = "tarn:resourcetype" // the type of resource that an export would hold, or a file of one holds
	KeyPassedToService = "iam:passedtoservice"
	KeyExternalID      = "sts:externalid"
	KeyRoleSessionName = "sts:rolesessionname"
)

// Context holds condition keys and their values. The zero value is empty and ready. A request has a dozen keys or so,
// and a list of these is found faster than a map is made.
type Context struct{ entries []entry }

type entry struct {
	key  string
	one  [1]string
	many []string // nil where one holds the value
}

// Set gives a key its values, in place of those that it had. The key compares without regard to case. No values at
// all means the key is absent.
func (c *Context) Set(key string, values ...string) {
	e := entry{key: strings.ToLower(key)}
	if len(values) == 1 {
		e.one[0] = values[0]
	} else {
		e.many = append(make([]string, 0, len(values)), values...)
	}
	for i := range c.entries {
		if c.entries[i].key == e.key {
			c.entries[i] = e
			return
		}
	}
	if c.entries == nil {
		c.entries = make([]entry, 0, 8)
	}
	c.entries = append(c.entries, e)
}

func (c *Context) values(key string) []string {
	for i := range c.entries {
		e := &c.entries[i]
		if e.key != key {
			continue
		}
		if e.many != nil {
			return e.many
		}
		return e.one[:]
	}
	return nil
}

// own answers the keys that nobody but the request itself may answer; key is without its "aws:".
func (r *Request) own(key string) (value string, known bool) {
	p := &r.Principal
	switch key {
	case "principalarn":
		if p.Kind == AssumedRole {
			return p.RoleARN, true
		}
		if p.Kind == Service {
			return "", true
		}
		return p.ARN, true
	case "principalaccount":
		return p.Account, true
	case "principaltype":
		return p.Kind.String(), true
	case "principalisawsservice":
		return strconv.FormatBool(p.Kind == Service), true
	case "principalservicename":
		if p.Kind == Service {
			return p.ARN, true
		}
		return "", true
	case "userid":
		if p.Kind == Anonymous {
			return "anonymous", true
		}
		return p.UserID, true
	case "username":
		return p.UserName, true
	case "sourceidentity":
		return p.SourceIdentity, true
	case "resourceaccount":
		if r.Owner != "" {
			return r.Owner, true
		}
		return p.Account, true
	case "tokenissuetime":
		return stamp(p.TokenIssued), true
	case "currenttime":
		return stamp(r.When), true
	case "epochtime":
		if r.When.IsZero() {
			return "", true
		}
		return strconv.FormatInt(r.When.Unix(), 10), true
	}
	if name, ok := strings.CutPrefix(key, "principaltag/"); ok {
		if value, ok := p.Tags[name]; ok {
			return value, true
		}
		for k, v := range p.Tags {
			if strings.EqualFold(k, name) {
				return v, true
			}
		}
		return "", true
	}
	return "", false
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}
