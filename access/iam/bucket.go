package iam

import (
	"net/netip"
	"strings"

	"tarn/access"
)

// ParseBucket is Parse of a bucket policy that also checks that each resource is this bucket or objects in it.
func ParseBucket(bucket string, doc []byte) (*Policy, error) {
	p, err := Parse(Bucket, doc)
	if err != nil {
		return nil, err
	}
	root, err := scan(doc)
	if err != nil {
		return nil, err
	}
	c := compiler{doc: doc, kind: Bucket}
	return p, c.confine(root, bucket)
}

// confine refuses resources that no part of the bucket can match.
func (c *compiler) confine(root node, bucket string) error {
	for _, m := range root.members {
		if m.name != "Statement" {
			continue
		}
		list := []node{m.value}
		if m.value.kind == '[' {
			list = m.value.items
		}
		for _, s := range list {
			for _, e := range s.members {
				if e.name != "Resource" && e.name != "NotResource" {
					continue
				}
				values, err := c.strings(e.value, e.name)
				if err != nil {
					return err
				}
				for _, v := range values {
					name, _, _ := strings.Cut(strings.TrimPrefix(v.text, kinds[Bucket].resourceStart), "/")
					pattern := compile(name, dialect{wildcards: true})
					if !pattern.match(bucket, nil) {
						return c.fail(v.at, "the policy of bucket "+bucket+" speaks of another: "+quote(v.text))
					}
				}
			}
		}
	}
	return nil
}

// fixing are the condition keys by which S3 takes a statement for everyone as not public, where they have fixed values
// ("The meaning of public", S3 user guide).
var fixing = []string{"aws:sourcearn", "aws:sourceaccount", "aws:sourceowner", "aws:sourcevpc", "aws:sourcevpce", "aws:sourceip",
	"aws:userid", "aws:principalarn", "aws:principalaccount", "aws:principalorgid",
	"s3:x-amz-server-side-encryption-aws-kms-key-id", "s3:dataaccesspointarn", "s3:dataaccesspointaccount"}

// IsPublic reports whether the policy allows something to everyone, as S3's Block Public Access understands it: an
// Allow for "*" that no condition ties to fixed values of accounts, principals, networks or the like.
func (p *Policy) IsPublic() bool {
	for i := range p.statements {
		s := &p.statements[i]
		if s.deny || s.who == nil || !s.who.everyone {
			continue
		}
		fixed := false
		for j := range s.conditions {
			fixed = fixed || s.conditions[j].fixes()
		}
		if !fixed {
			return true
		}
	}
	return false
}

// fixes reports whether the condition ties its key to fixed values.
func (c *condition) fixes() bool {
	if c.ifExists || c.quantity == forAll || c.op.negated || !has(fixing, c.key) {
		return false
	}
	for i := range c.values {
		v := &c.values[i]
		switch c.op.family {
		case ofString, ofARN:
			if v.pattern.isOpen() {
				return false
			}
		case ofIP:
			if v.network.Bits() < narrowest(v.network) {
				return false
			}
		default:
			return false
		}
	}
	return true
}

// narrowest is how many bits a network must have not to be taken for the whole internet.
func narrowest(n netip.Prefix) int {
	if n.Addr().Is4() {
		return 8
	}
	return 32
}

// isOpen reports whether the pattern fits more than one string.
func (p *pattern) isOpen() bool {
	if p.shape == exact {
		return false
	}
	for _, c := range p.codes {
		if c == one || c == star || c == within {
			return true
		}
	}
	return p.shape != wild
}

// Everyone reports whether the policy allows r to somebody who sends no credentials: what RestrictPublicBuckets and
// anonymous requests turn on.
func (p *Policy) Everyone(r access.Request) bool {
	r.Principal = access.Principal{}
	return p.Evaluate(&r).Allowed()
}
