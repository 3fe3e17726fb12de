package account

import "context"

// AddToGroup puts a user into a group; being in it already is no error.
func (a *Accounts) AddToGroup(ctx context.Context, user, group string) error {
	return a.change(ctx, "account.AddToGroup", Holder{User, user}, func(c *change, e *Entity) error {
		g, err := entity(c.reader, Holder{Group, group})
		if err != nil {
			return err
		}
		for _, name := range e.Groups {
			if sameName(name, g.Name) {
				return nil
			}
		}
		if len(e.Groups) >= MaxUserGroups {
			return overLimit("GroupsPerUser", MaxUserGroups)
		}
		e.Groups = append(e.Groups, g.Name)
		return nil
	})
}

// RemoveFromGroup takes a user out of a group; NoSuchEntity where it is not in it.
func (a *Accounts) RemoveFromGroup(ctx context.Context, user, group string) error {
	return a.change(ctx, "account.RemoveFromGroup", Holder{User, user}, func(c *change, e *Entity) error {
		if _, err := entity(c.reader, Holder{Group, group}); err != nil {
			return err
		}
		for i, name := range e.Groups {
			if sameName(name, group) {
				e.Groups = append(e.Groups[:i], e.Groups[i+1:]...)
				return nil
			}
		}
		return noSuch("The user with name %s is not in the group %s.", user, group)
	})
}

// Members is the users in a group, by name.
func (a *Accounts) Members(ctx context.Context, group string) (members []*Entity, err error) {
	err = a.read(ctx, func(r reader) error {
		g, err := entity(r, Holder{Group, group})
		if err == nil {
			members, err = membersOf(r, g.Name)
		}
		return err
	})
	return members, err
}

// GroupsOf is the groups that a user is in.
func (a *Accounts) GroupsOf(ctx context.Context, user string) (groups []*Entity, err error) {
	err = a.read(ctx, func(r reader) error {
		u, err := entity(r, Holder{User, user})
		if err != nil {
			return err
		}
		for _, name := range u.Groups {
			g, err := entity(r, Holder{Group, name})
			if err != nil {
				return err
			}
			groups = append(groups, g)
		}
		return nil
	})
	return groups, err
}

func membersOf(r reader, group string) (members []*Entity, err error) {
	users, err := all[Entity](r, entitiesOf(User))
	for _, u := range users {
		for _, name := range u.Groups {
			if sameName(name, group) {
				members = append(members, u)
			}
		}
	}
	return members, err
}
