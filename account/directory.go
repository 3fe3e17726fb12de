package account

import (
	"context"
	"strings"

	"tarn/access"
	"tarn/access/iam"
	"tarn/fault"
)

// Credential finds a long-term access key; a session's is found by Session, with its token.
func (a *Accounts) Credential(ctx context.Context, accessKeyID string) (access.Credential, error) {
	k, err := a.known(ctx)
	if err != nil {
		return access.Credential{}, err
	}
	if kept, ok := k.credentials.Load(accessKeyID); ok {
		a.used.note(accessKeyID, a.now)
		return *kept.(*access.Credential), nil
	}
	if len(accessKeyID) > 128 || !strings.HasPrefix(accessKeyID, "AKIA") {
		return access.Credential{}, fault.Errorf(fault.NotFound, "account.Credential", "there is no such access key")
	}
	var c access.Credential
	err = a.read(ctx, func(r reader) error {
		var row keyRow
		found, err := r.get(keyOf(accessKeyID), &row)
		if err != nil {
			return err
		}
		if !found {
			return fault.Errorf(fault.NotFound, "account.Credential", "there is no such access key")
		}
		c.Active = row.Active
		c.Principal = access.RootOf(a.account)
		c.Principal.ARN = a.ARN("root")
		if row.User != "" {
			e, err := entity(r, Holder{User, row.User})
			if err != nil {
				return err
			}
			c.Principal = a.userPrincipal(e)
		}
		c.Principal.AccessKeyID = accessKeyID
		c.Secret, err = a.openSecret(&row)
		return err
	})
	if err != nil {
		return access.Credential{}, err
	}
	k.credentials.Store(accessKeyID, &c)
	a.used.note(accessKeyID, a.now)
	return c, nil
}

// Grant is what the principal's own policies give.
func (a *Accounts) Grant(ctx context.Context, p access.Principal) (access.Grant, error) {
	var h Holder
	id := p.UserID
	switch p.Kind {
	case access.User:
		h = Holder{User, p.UserName}
	case access.AssumedRole:
		h = Holder{Role, p.RoleARN[strings.LastIndexByte(p.RoleARN, '/')+1:]}
		id, _, _ = strings.Cut(id, ":")
	default:
		return access.Grant{}, nil
	}
	if p.Account != a.account {
		return access.Grant{}, fault.Errorf(fault.NotFound, "account.Grant", "%s is not of this account", p.ARN)
	}
	k, err := a.known(ctx)
	if err != nil {
		return access.Grant{}, err
	}
	key := string(h.Kind) + "/" + h.Name
	kept, ok := k.grants.Load(key)
	if !ok {
		g, err := a.compileGrant(ctx, k, h)
		if err != nil {
			return access.Grant{}, err
		}
		k.grants.Store(key, g)
		kept = g
	}
	g := kept.(*granted)
	if g.id != id {
		return access.Grant{}, fault.Errorf(fault.NotFound, "account.Grant", "%s is no more", p.ARN)
	}
	grant := g.grant
	if isSessionKey(p.AccessKeyID) {
		grant.Session, err = a.sessionPolicies(ctx, k, p.AccessKeyID)
	}
	return grant, err
}

func (a *Accounts) compileGrant(ctx context.Context, k *cache, h Holder) (*granted, error) {
	g := &granted{}
	err := a.read(ctx, func(r reader) error {
		e, err := entity(r, h)
		if err != nil {
			return err
		}
		g.id = e.ID
		if err := a.addPolicies(r, k, e, &g.grant); err != nil {
			return err
		}
		for _, name := range e.Groups {
			group, err := entity(r, Holder{Group, name})
			if err != nil {
				return err
			}
			if err := a.addPolicies(r, k, group, &g.grant); err != nil {
				return err
			}
		}
		if e.Boundary != "" {
			g.grant.Boundary, err = a.managedPolicy(r, k, e.Boundary)
		}
		return err
	})
	return g, err
}

func (a *Accounts) addPolicies(r reader, k *cache, e *Entity, g *access.Grant) error {
	for _, arn := range e.Attached {
		p, err := a.managedPolicy(r, k, arn)
		if err != nil {
			return err
		}
		g.Identity = append(g.Identity, p)
	}
	for _, inline := range e.Inline {
		p, err := iam.Parse(inlineKinds[e.Kind], []byte(inline.Document))
		if err != nil {
			return damaged(err, "the policy "+inline.Name+" of "+e.ARN)
		}
		g.Identity = append(g.Identity, p.Named(inline.Name))
	}
	return nil
}

// managedPolicy compiles a managed policy once for all who have it.
func (a *Accounts) managedPolicy(r reader, k *cache, arn string) (access.Policy, error) {
	if kept, ok := k.policies.Load(arn); ok {
		return kept.(access.Policy), nil
	}
	p, err := a.compiled(r, arn)
	if err != nil {
		return nil, err
	}
	k.policies.Store(arn, p)
	return p, nil
}

// Role finds a role by its ARN, with its trust policy compiled; fault.NotFound.
func (a *Accounts) Role(ctx context.Context, arn string) (access.Role, error) {
	k, err := a.known(ctx)
	if err != nil {
		return access.Role{}, err
	}
	if kept, ok := k.roles.Load(arn); ok {
		return *kept.(*access.Role), nil
	}
	rest, ok := strings.CutPrefix(arn, a.ARN("role/"))
	name := rest[strings.LastIndexByte(rest, '/')+1:]
	if !ok || checkName("roleName", name, maxNameUserOrRole) != nil {
		return access.Role{}, noSuch("The role %s cannot be found.", brief(arn))
	}
	var role access.Role
	err = a.read(ctx, func(r reader) error {
		e, err := entity(r, Holder{Role, name})
		if err != nil {
			return err
		}
		if e.ARN != arn {
			return noSuch("The role %s cannot be found.", brief(arn))
		}
		trust, err := iam.Parse(iam.Trust, []byte(e.Role.Trust))
		if err != nil {
			return damaged(err, "the trust policy of "+arn)
		}
		role = access.Role{ARN: e.ARN, Name: e.Name, ID: e.ID, Account: a.account, Trust: trust.Named("trust policy of " + e.Name),
			MaxSession: e.Role.MaxSession, Tags: tagMap(e.Tags)}
		return nil
	})
	if err != nil {
		return access.Role{}, err
	}
	k.roles.Store(arn, &role)
	return role, nil
}
