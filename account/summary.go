package account

import "context"

// Census is how much there is of each.
type Census struct {
	Users, Groups, Roles, Policies, Versions int
	InUse                                    int // customer policies that are attached
	RootKeys                                 int
	Attached                                 map[string]int // ARN -> how many have it
	Bounding                                 map[string]int // ARN -> whose boundary it is
}

// Census counts everything as of now.
func (a *Accounts) Census(ctx context.Context) (Census, error) {
	c := Census{Attached: map[string]int{}, Bounding: map[string]int{}}
	err := a.read(ctx, func(r reader) error {
		entities, err := all[Entity](r, entityRows)
		if err != nil {
			return err
		}
		for _, e := range entities {
			switch e.Kind {
			case User:
				c.Users++
			case Group:
				c.Groups++
			case Role:
				c.Roles++
			}
			for _, arn := range e.Attached {
				c.Attached[arn]++
			}
			if e.Boundary != "" {
				c.Bounding[e.Boundary]++
			}
		}
		policies, err := all[Policy](r, policyRows)
		for _, p := range policies {
			c.Policies++
			c.Versions += len(p.Versions)
			if c.Attached[p.ARN] > 0 {
				c.InUse++
			}
		}
		if err != nil {
			return err
		}
		var root rootKey
		if found, err := r.get(rootRow, &root); err != nil || !found {
			return err
		}
		there, err := r.has(keyOf(root.AccessKeyID))
		if there {
			c.RootKeys = 1
		}
		return err
	})
	return c, err
}
