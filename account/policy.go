package account

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"tarn/access/iam"
	"tarn/fault"
)

// Policy is a managed policy: the customer's, or one of AWS's.
type Policy struct {
	Name        string          `json:"name"`
	Path        string          `json:"path"`
	ID          string          `json:"id"` // ANPA...
	ARN         string          `json:"arn"`
	Description string          `json:"description,omitempty"`
	Created     time.Time       `json:"created"`
	Updated     time.Time       `json:"updated"`
	Tags        []Tag           `json:"tags,omitempty"`
	Default     string          `json:"default"`  // id of the version that counts
	Versions    []PolicyVersion `json:"versions"` // oldest first
	Next        int             `json:"next"`     // number of the next version
	AWS         bool            `json:"-"`        // built in
}

// PolicyVersion is one document of a managed policy.
type PolicyVersion struct {
	ID       string    `json:"id"` // v1, v2, ...
	Document string    `json:"document"`
	Created  time.Time `json:"created"`
}

// Version finds a version; NoSuchEntity.
func (p *Policy) Version(id string) (*PolicyVersion, error) {
	for i := range p.Versions {
		if p.Versions[i].ID == id {
			return &p.Versions[i], nil
		}
	}
	return nil, noSuch("Policy %s version %s does not exist or is not attachable.", p.ARN, brief(id))
}

// CreatePolicy makes a customer managed policy with its version v1.
func (a *Accounts) CreatePolicy(ctx context.Context, p Policy, document string) (*Policy, error) {
	if p.Path == "" {
		p.Path = "/"
	}
	err := first(checkName("policyName", p.Name, maxNameOther), checkPath(p.Path), checkText("description", p.Description), checkTags(p.Tags))
	if err != nil {
		return nil, err
	}
	if _, err := compile(iam.Managed, document); err != nil {
		return nil, err
	}
	p.ARN = a.ARN("policy" + p.Path + p.Name)
	err = a.write(ctx, "account.CreatePolicy", func(c *change) error {
		if there, err := c.has(policyKey(p.Name)); err != nil {
			return err
		} else if there {
			return exists("A policy called %s already exists. Duplicate names are not allowed.", p.Name)
		}
		if n, err := c.count(policyRows); err != nil {
			return err
		} else if n >= MaxPolicies {
			return overLimit("PoliciesPerAccount", MaxPolicies)
		}
		p.ID, p.Created, p.Updated = newID("ANPA"), c.now, c.now
		p.Versions, p.Default, p.Next = []PolicyVersion{{"v1", document, c.now}}, "v1", 2
		c.set(policyKey(p.Name), &p)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &p, nil
}

// ManagedPolicy finds a managed policy by its ARN; NoSuchEntity.
func (a *Accounts) ManagedPolicy(ctx context.Context, arn string) (p *Policy, err error) {
	err = a.read(ctx, func(r reader) error {
		p, err = a.policy(r, arn)
		return err
	})
	return p, err
}

// Policies is all managed policies of the customer, by name.
func (a *Accounts) Policies(ctx context.Context) (list []*Policy, err error) {
	err = a.read(ctx, func(r reader) error {
		list, err = all[Policy](r, policyRows)
		return err
	})
	return list, err
}

// DeletePolicy removes a customer managed policy that is nowhere attached and has no versions but its default one.
func (a *Accounts) DeletePolicy(ctx context.Context, arn string) error {
	return a.write(ctx, "account.DeletePolicy", func(c *change) error {
		p, err := a.ownPolicy(c.reader, arn)
		if err != nil {
			return err
		}
		if len(p.Versions) > 1 {
			return inUse("This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.")
		}
		use, err := usesOf(c.reader, arn)
		if err != nil {
			return err
		}
		if len(use.Attached)+len(use.Bounding) > 0 {
			return inUse("Cannot delete a policy attached to entities.")
		}
		c.delete(policyKey(p.Name))
		return nil
	})
}

// CreatePolicyVersion adds a version, and makes it the one that counts if isDefault.
func (a *Accounts) CreatePolicyVersion(ctx context.Context, arn, document string, isDefault bool) (v PolicyVersion, err error) {
	if _, err := compile(iam.Managed, document); err != nil {
		return v, err
	}
	err = a.changePolicy(ctx, "account.CreatePolicyVersion", arn, func(c *change, p *Policy) error {
		if len(p.Versions) >= MaxVersions {
			return refuse(fault.Conflict, "LimitExceeded", "A managed policy can have up to %d versions. Before you create a new version, you must delete an existing version.", MaxVersions)
		}
		v = PolicyVersion{"v" + strconv.Itoa(p.Next), document, c.now}
		p.Next++
		p.Versions = append(p.Versions, v)
		if isDefault {
			p.Default = v.ID
		}
		return nil
	})
	return v, err
}

// DeletePolicyVersion removes a version that is not the default.
func (a *Accounts) DeletePolicyVersion(ctx context.Context, arn, id string) error {
	return a.changePolicy(ctx, "account.DeletePolicyVersion", arn, func(_ *change, p *Policy) error {
		if _, err := p.Version(id); err != nil {
			return err
		}
		if p.Default == id {
			return inUse("Cannot delete the default version of a policy.")
		}
		kept := p.Versions[:0]
		for _, v := range p.Versions {
			if v.ID != id {
				kept = append(kept, v)
			}
		}
		p.Versions = kept
		return nil
	})
}

// SetDefaultPolicyVersion makes a version the one that counts.
func (a *Accounts) SetDefaultPolicyVersion(ctx context.Context, arn, id string) error {
	return a.changePolicy(ctx, "account.SetDefaultPolicyVersion", arn, func(_ *change, p *Policy) error {
		_, err := p.Version(id)
		p.Default = id
		return err
	})
}

// TagPolicy sets tags on a customer managed policy, after it has removed those of the keys.
func (a *Accounts) TagPolicy(ctx context.Context, arn string, set []Tag, remove []string) error {
	if err := checkTags(set); err != nil {
		return err
	}
	return a.changePolicy(ctx, "account.TagPolicy", arn, func(_ *change, p *Policy) error {
		p.Tags = merged(without(p.Tags, remove), set)
		return checkTags(p.Tags)
	})
}

// Uses is who has a managed policy.
type Uses struct {
	Attached []*Entity
	Bounding []*Entity // whose permissions boundary it is
}

// Uses finds who has a managed policy; NoSuchEntity where there is none.
func (a *Accounts) Uses(ctx context.Context, arn string) (u Uses, err error) {
	err = a.read(ctx, func(r reader) error {
		if err := a.mustHavePolicy(r, arn); err != nil {
			return err
		}
		u, err = usesOf(r, arn)
		return err
	})
	return u, err
}

func usesOf(r reader, arn string) (u Uses, err error) {
	entities, err := all[Entity](r, entityRows)
	for _, e := range entities {
		if contains(e.Attached, arn) {
			u.Attached = append(u.Attached, e)
		}
		if e.Boundary == arn {
			u.Bounding = append(u.Bounding, e)
		}
	}
	return u, err
}

func (a *Accounts) changePolicy(ctx context.Context, op, arn string, fn func(c *change, p *Policy) error) error {
	return a.write(ctx, op, func(c *change) error {
		p, err := a.ownPolicy(c.reader, arn)
		if err != nil {
			return err
		}
		if err := fn(c, p); err != nil {
			return err
		}
		p.Updated = c.now
		c.set(policyKey(p.Name), p)
		return nil
	})
}

// policy reads a managed policy, the customer's or AWS's.
func (a *Accounts) policy(r reader, arn string) (*Policy, error) {
	if p := managed(arn); p != nil {
		return p, nil
	}
	rest, ok := strings.CutPrefix(arn, a.ARN("policy/"))
	if !ok {
		if !strings.HasPrefix(arn, "arn:") || !strings.Contains(arn, ":policy/") {
			return nil, invalidInput("ARN %s is not valid.", brief(arn))
		}
		return nil, noSuch("Policy %s does not exist or is not attachable.", brief(arn))
	}
	p := &Policy{}
	found, err := r.get(policyKey(rest[strings.LastIndexByte(rest, '/')+1:]), p)
	if err == nil && (!found || p.ARN != arn) {
		err = noSuch("Policy %s does not exist or is not attachable.", brief(arn))
	}
	if err != nil {
		return nil, err
	}
	return p, nil
}

// ownPolicy reads a policy that is to be changed, which AWS's cannot.
func (a *Accounts) ownPolicy(r reader, arn string) (*Policy, error) {
	p, err := a.policy(r, arn)
	if err == nil && p.AWS {
		return nil, refuse(fault.Denied, "AccessDenied", "The policy %s is managed by AWS and cannot be changed.", arn)
	}
	return p, err
}

func (a *Accounts) mustHavePolicy(r reader, arn string) error {
	_, err := a.policy(r, arn)
	return err
}

// compiled is the version of a managed policy that counts.
func (a *Accounts) compiled(r reader, arn string) (*iam.Policy, error) {
	p, err := a.policy(r, arn)
	if err != nil {
		return nil, err
	}
	v, err := p.Version(p.Default)
	if err != nil {
		return nil, err
	}
	c, err := iam.Parse(iam.Managed, []byte(v.Document))
	if err != nil {
		return nil, damaged(err, "the policy "+arn)
	}
	return c.Named(p.Name), nil
}

// damaged is a stored document that does not compile any more. It must not be skipped: it may deny.
func damaged(err error, what string) error {
	return fault.Errorf(fault.Internal, "account", "%s cannot be compiled: %w", what, errors.Unwrap(err))
}
