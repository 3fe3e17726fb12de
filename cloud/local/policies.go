package local

import (
	"encoding/json"
	"net/netip"
	"strings"
	"sync"

	"tarn/access"
	"tarn/access/iam"
)

// policies compiles the policies of buckets and keys and keeps what was compiled by its text, so that it can never be
// stale. It is safe for concurrent use.
type policies struct {
	mu   sync.Mutex
	made map[policyText]access.Policy
}

type policyText struct {
	kind iam.Kind
	text string
}

const maxCompiled = 1000

func newPolicies() *policies { return &policies{made: map[policyText]access.Policy{}} }

// of is the compiled policy; nil for an empty text.
func (p *policies) of(kind iam.Kind, text string) (access.Policy, error) {
	if text == "" {
		return nil, nil
	}
	key := policyText{kind, text}
	p.mu.Lock()
	made := p.made[key]
	p.mu.Unlock()
	if made != nil {
		return made, nil
	}
	policy, err := iam.Parse(kind, []byte(text))
	if err != nil {
		return nil, err
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.made) >= maxCompiled {
		clear(p.made)
	}
	p.made[key] = policy
	return policy, nil
}

// isPublic reports whether a bucket policy that compiles is public as Block Public Access means it ("The meaning of
// public", S3 user guide): it allows everybody something, without a condition that holds to fixed values.
func isPublic(text string) bool {
	var doc struct{ Statement json.RawMessage }
	if text == "" || json.Unmarshal([]byte(text), &doc) != nil {
		return false
	}
	type statement struct {
		Effect                  string
		Principal, NotPrincipal any
		Condition               map[string]map[string]any
	}
	var list []statement
	if json.Unmarshal(doc.Statement, &list) != nil {
		list = make([]statement, 1)
		if json.Unmarshal(doc.Statement, &list[0]) != nil {
			return true
		}
	}
	for _, st := range list {
		if st.Effect == "Allow" && (st.NotPrincipal != nil || isEverybody(st.Principal)) && !isConfined(st.Condition) {
			return true
		}
	}
	return false
}

func isEverybody(principal any) bool {
	switch p := principal.(type) {
	case string:
		return p == "*"
	case map[string]any:
		for _, v := range p {
			for _, name := range texts(v) {
				if name == "*" {
					return true
				}
			}
		}
	}
	return false
}

// confining are the condition keys that can make a policy for everybody one for somebody.
var confining = map[string]bool{"aws:principalorgid": true, "aws:principalorgpaths": true, "aws:sourceip": true,
	"aws:sourcearn": true, "aws:sourcevpc": true, "aws:sourcevpce": true, "aws:sourceowner": true, "aws:sourceaccount": true,
	"aws:userid": true, "aws:principalaccount": true, "aws:principalarn": true, "s3:dataaccesspointarn": true,
	"s3:dataaccesspointaccount": true}

func isConfined(condition map[string]map[string]any) bool {
	for operator, keys := range condition {
		op := strings.ToLower(operator)
		if strings.HasSuffix(op, "ifexists") || strings.HasPrefix(op, "for") || strings.Contains(op, "not") || op == "null" {
			continue
		}
		for key, v := range keys {
			if confining[strings.ToLower(key)] && allFixed(strings.ToLower(key), texts(v)) {
				return true
			}
		}
	}
	return false
}

func allFixed(key string, values []string) bool {
	for _, v := range values {
		if key == "aws:sourceip" {
			p, err := netip.ParsePrefix(v)
			if err == nil && (p.Addr().Is4() && p.Bits() < 8 || p.Addr().Is6() && p.Bits() < 32) {
				return false
			}
			continue
		}
		if strings.ContainsAny(v, "*?") || strings.Contains(v, "${") {
			return false
		}
	}
	return len(values) > 0
}

func texts(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var all []string
		for _, x := range v {
			if s, ok := x.(string); ok {
				all = append(all, s)
			}
		}
		return all
	}
	return nil
}
