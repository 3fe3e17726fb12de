package local

import (
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

// isPublic reports whether a bucket policy is public as Block Public Access means it.
func isPublic(text string) bool {
	p, err := iam.Parse(iam.Bucket, []byte(text))
	return err == nil && p.IsPublic()
}
