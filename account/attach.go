package account

import (
	"context"
	"sort"

	"tarn/access/iam"
	"tarn/fault"
)

// AttachPolicy attaches a managed policy; being attached already is no error.
func (a *Accounts) AttachPolicy(ctx context.Context, h Holder, arn string) error {
	return a.change(ctx, "account.AttachPolicy", h, func(c *change, e *Entity) error {
		if err := a.mustHavePolicy(c.reader, arn); err != nil {
			return err
		}
		if contains(e.Attached, arn) {
			return nil
		}
		if len(e.Attached) >= MaxAttached {
			return overLimit("PoliciesPer"+title(h.Kind), MaxAttached)
		}
		e.Attached = append(e.Attached, arn)
		return nil
	})
}

// DetachPolicy is the inverse; NoSuchEntity where it is not attached.
func (a *Accounts) DetachPolicy(ctx context.Context, h Holder, arn string) error {
	return a.change(ctx, "account.DetachPolicy", h, func(_ *change, e *Entity) error {
		i := index(e.Attached, arn)
		if i < 0 {
			return noSuch("Policy %s was not found.", arn)
		}
		e.Attached = append(e.Attached[:i], e.Attached[i+1:]...)
		return nil
	})
}

// SetBoundary bounds a user's or role's rights by a managed policy; an empty ARN takes the bound away.
func (a *Accounts) SetBoundary(ctx context.Context, h Holder, arn string) error {
	return a.change(ctx, "account.SetBoundary", h, func(c *change, e *Entity) error {
		switch {
		case arn != "":
			if err := a.mustHavePolicy(c.reader, arn); err != nil {
				return err
			}
		case e.Boundary == "":
			return noSuch("The %s with name %s has no permissions boundary.", h.Kind, h.Name)
		}
		e.Boundary = arn
		return nil
	})
}

var inlineKinds = map[Kind]iam.Kind{User: iam.UserInline, Group: iam.RoleInline, Role: iam.RoleInline}

var inlineLimits = map[Kind]int{User: iam.MaxUserInline, Group: maxGroupInline, Role: iam.MaxRoleInline}

// PutInline gives an entity a policy of its own, replacing the one of that name.
func (a *Accounts) PutInline(ctx context.Context, h Holder, name, document string) error {
	if err := checkName("policyName", name, maxNameOther); err != nil {
		return err
	}
	if _, err := compile(inlineKinds[h.Kind], document); err != nil {
		return err
	}
	return a.change(ctx, "account.PutInline", h, func(_ *change, e *Entity) error {
		total := iam.Chars([]byte(document))
		rest := []Inline{{name, document}}
		for _, p := range e.Inline {
			if p.Name != name {
				total += iam.Chars([]byte(p.Document))
				rest = append(rest, p)
			}
		}
		if total > inlineLimits[h.Kind] {
			return refuse(fault.Conflict, "LimitExceeded", "Maximum policy size of %d bytes exceeded for %s %s", inlineLimits[h.Kind], h.Kind, h.Name)
		}
		sort.Slice(rest, func(i, j int) bool { return rest[i].Name < rest[j].Name })
		e.Inline = rest
		return nil
	})
}

// DeleteInline takes it away.
func (a *Accounts) DeleteInline(ctx context.Context, h Holder, name string) error {
	return a.change(ctx, "account.DeleteInline", h, func(_ *change, e *Entity) error {
		for i, p := range e.Inline {
			if p.Name == name {
				e.Inline = append(e.Inline[:i], e.Inline[i+1:]...)
				return nil
			}
		}
		return noSuch("The %s policy with name %s cannot be found.", h.Kind, brief(name))
	})
}

// InlinePolicy is the document of that name.
func (e *Entity) InlinePolicy(name string) (string, error) {
	for _, p := range e.Inline {
		if p.Name == name {
			return p.Document, nil
		}
	}
	return "", noSuch("The %s policy with name %s cannot be found.", e.Kind, brief(name))
}
