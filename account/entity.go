package account

import (
	"context"
	"strings"
	"time"

	"tarn/access/iam"
)

// Kind says what an entity is.
type Kind string

// The kinds of entity, as ARNs spell them.
const (
	User  Kind = "user"
	Group Kind = "group"
	Role  Kind = "role"
)

// Holder names what policies hang on.
type Holder struct {
	Kind Kind
	Name string
}

// Entity is a user, a group or a role.
type Entity struct {
	Kind     Kind      `json:"kind"`
	Name     string    `json:"name"`
	Path     string    `json:"path"`
	ID       string    `json:"id"` // AIDA..., AGPA..., AROA...: never given twice
	ARN      string    `json:"arn"`
	Created  time.Time `json:"created"`
	Tags     []Tag     `json:"tags,omitempty"`
	Attached []string  `json:"attached,omitempty"` // ARNs of managed policies, in the order in which they came
	Inline   []Inline  `json:"inline,omitempty"`   // sorted by name
	Boundary string    `json:"boundary,omitempty"` // ARN of the managed policy that bounds a user's or role's rights
	Keys     []string  `json:"keys,omitempty"`     // access key ids of a user
	Groups   []string  `json:"groups,omitempty"`   // names of the groups that a user is in
	Role     *Trusted  `json:"role,omitempty"`     // what only a role has
}

// Trusted is what a role has beyond a user.
type Trusted struct {
	Description string        `json:"description,omitempty"`
	Trust       string        `json:"trust"` // the trust policy as it was given
	MaxSession  time.Duration `json:"maxSession"`
}

// Inline is a policy that belongs to one entity.
type Inline struct {
	Name     string `json:"name"`
	Document string `json:"document"`
}

// NewEntity is what CreateUser, CreateGroup and CreateRole are told.
type NewEntity struct {
	Kind        Kind
	Name        string
	Path        string // empty is "/"
	Tags        []Tag
	Boundary    string        // ARN, or empty
	Trust       string        // of a role
	Description string        // of a role
	MaxSession  time.Duration // of a role; 0 is an hour
}

var ids = map[Kind]string{User: "AIDA", Group: "AGPA", Role: "AROA"}

var quotas = map[Kind]struct {
	name string
	max  int
}{User: {"UsersPerAccount", MaxUsers}, Group: {"GroupsPerAccount", MaxGroups}, Role: {"RolesPerAccount", MaxRoles}}

func checkHolder(h Holder) error {
	limit := maxNameUserOrRole
	if h.Kind == Group {
		limit = maxNameOther
	}
	return checkName(string(h.Kind)+"Name", h.Name, limit)
}

// Create makes a user, group or role.
func (a *Accounts) Create(ctx context.Context, n NewEntity) (*Entity, error) {
	if n.Path == "" {
		n.Path = "/"
	}
	h := Holder{n.Kind, n.Name}
	e := &Entity{Kind: n.Kind, Name: n.Name, Path: n.Path, ARN: a.ARN(string(n.Kind) + n.Path + n.Name), Tags: n.Tags, Boundary: n.Boundary}
	if err := first(checkHolder(h), checkPath(n.Path), checkTags(n.Tags)); err != nil {
		return nil, err
	}
	if n.Kind == Role {
		if n.MaxSession == 0 {
			n.MaxSession = time.Hour
		}
		e.Role = &Trusted{Description: n.Description, Trust: n.Trust, MaxSession: n.MaxSession}
		_, malformed := compile(iam.Trust, n.Trust)
		if err := first(malformed, checkText("description", n.Description), checkMaxSession(n.MaxSession)); err != nil {
			return nil, err
		}
	}
	err := a.write(ctx, "account.Create", func(c *change) error {
		quota := quotas[n.Kind]
		switch there, err := c.has(entityKey(n.Kind, n.Name)); {
		case err != nil:
			return err
		case there:
			return exists("%s with name %s already exists.", title(n.Kind), n.Name)
		}
		if count, err := c.count(entitiesOf(n.Kind)); err != nil {
			return err
		} else if count >= quota.max {
			return overLimit(quota.name, quota.max)
		}
		if n.Boundary != "" {
			if err := a.mustHavePolicy(c.reader, n.Boundary); err != nil {
				return err
			}
		}
		e.ID, e.Created = newID(ids[n.Kind]), c.now
		c.set(entityKey(n.Kind, n.Name), e)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return e, nil
}

// Get finds a user, group or role by its name; NoSuchEntity.
func (a *Accounts) Get(ctx context.Context, h Holder) (e *Entity, err error) {
	err = a.read(ctx, func(r reader) error {
		e, err = entity(r, h)
		return err
	})
	return e, err
}

// List is all entities of a kind whose path begins with a prefix, by name.
func (a *Accounts) List(ctx context.Context, kind Kind, pathPrefix string) (list []*Entity, err error) {
	err = a.read(ctx, func(r reader) error {
		every, err := all[Entity](r, entitiesOf(kind))
		for _, e := range every {
			if strings.HasPrefix(e.Path, pathPrefix) {
				list = append(list, e)
			}
		}
		return err
	})
	return list, err
}

// Delete removes a user, group or role on which nothing hangs any more: else DeleteConflict.
func (a *Accounts) Delete(ctx context.Context, h Holder) error {
	return a.write(ctx, "account.Delete", func(c *change) error {
		e, err := entity(c.reader, h)
		switch {
		case err != nil:
			return err
		case len(e.Keys) > 0:
			return inUse("Cannot delete entity, must delete access keys first.")
		case len(e.Attached) > 0:
			return inUse("Cannot delete entity, must detach all policies first.")
		case len(e.Inline) > 0:
			return inUse("Cannot delete entity, must delete policies first.")
		case len(e.Groups) > 0:
			return inUse("Cannot delete entity, must remove users from group first.")
		}
		if h.Kind == Group {
			members, err := membersOf(c.reader, e.Name)
			if err != nil {
				return err
			}
			if len(members) > 0 {
				return inUse("Cannot delete entity, must remove users from group first.")
			}
		}
		c.delete(entityKey(h.Kind, h.Name))
		return nil
	})
}

// Rename gives a user or group another name, another path, or both; empty leaves it.
func (a *Accounts) Rename(ctx context.Context, h Holder, name, path string) error {
	to := Holder{h.Kind, name}
	if name == "" {
		to = h
	}
	if err := checkHolder(to); err != nil {
		return err
	}
	if path != "" {
		if err := checkPath(path); err != nil {
			return err
		}
	}
	return a.write(ctx, "account.Rename", func(c *change) error {
		e, err := entity(c.reader, h)
		if err != nil {
			return err
		}
		if !sameName(to.Name, h.Name) {
			if there, err := c.has(entityKey(to.Kind, to.Name)); err != nil {
				return err
			} else if there {
				return exists("%s with name %s already exists.", title(to.Kind), to.Name)
			}
			c.delete(entityKey(h.Kind, h.Name))
			if err := a.renamed(c, h, to); err != nil {
				return err
			}
		}
		if name != "" {
			e.Name = name
		}
		if path != "" {
			e.Path = path
		}
		e.ARN = a.ARN(string(e.Kind) + e.Path + e.Name)
		c.set(entityKey(to.Kind, to.Name), e)
		for _, id := range e.Keys {
			var row keyRow
			if found, err := c.get(keyOf(id), &row); err != nil {
				return err
			} else if found {
				row.User = e.Name
				c.set(keyOf(id), &row)
			}
		}
		return nil
	})
}

// renamed follows a group's new name into its members.
func (a *Accounts) renamed(c *change, from, to Holder) error {
	if from.Kind != Group {
		return nil
	}
	members, err := membersOf(c.reader, from.Name)
	if err != nil {
		return err
	}
	for _, m := range members {
		for i, g := range m.Groups {
			if sameName(g, from.Name) {
				m.Groups[i] = to.Name
			}
		}
		c.set(entityKey(User, m.Name), m)
	}
	return nil
}

// change rewrites one entity.
func (a *Accounts) change(ctx context.Context, op string, h Holder, fn func(c *change, e *Entity) error) error {
	return a.write(ctx, op, func(c *change) error {
		e, err := entity(c.reader, h)
		if err != nil {
			return err
		}
		if err := fn(c, e); err != nil {
			return err
		}
		c.set(entityKey(h.Kind, h.Name), e)
		return nil
	})
}

// entity reads one, or says NoSuchEntity.
func entity(r reader, h Holder) (*Entity, error) {
	if err := checkHolder(h); err != nil {
		return nil, err
	}
	e := &Entity{}
	found, err := r.get(entityKey(h.Kind, h.Name), e)
	if err == nil && !found {
		err = noSuch("The %s with name %s cannot be found.", h.Kind, h.Name)
	}
	if err != nil {
		return nil, err
	}
	return e, nil
}

func title(k Kind) string { return strings.ToUpper(string(k[:1])) + string(k[1:]) }

func first(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}
