package control

import "slices"

// Rows shows the route table: action, permission.
func Rows() [][2]string {
	var rows [][2]string
	for _, r := range routes() {
		rows = append(rows, [2]string{r.action, r.iamAction})
	}
	return rows
}

// Constraint is a shape for tests, in the words of the service model.
type Constraint struct {
	Type     string
	Min, Max *int
	Pattern  string
	Enum     []string
	Required []string
	Members  map[string]*Constraint
	Item     *Constraint
	Union    bool
}

// Inputs shows the input shape of every action.
func Inputs() map[string]*Constraint {
	all := map[string]*Constraint{}
	for _, r := range routes() {
		all[r.action] = constraint(r.shape)
	}
	return all
}

func constraint(s *shape) *Constraint {
	c := &Constraint{Pattern: s.pattern, Enum: slices.Clone(s.values)}
	if s.bounded {
		c.Min, c.Max = &s.min, &s.max
	}
	switch s.kind {
	case text:
		c.Type = "string"
	case integer:
		c.Type = "integer"
	case boolean:
		c.Type = "boolean"
	case timestamp:
		c.Type = "timestamp"
	case list:
		c.Type, c.Item = "list", constraint(s.item)
	case structure, union:
		c.Type, c.Union, c.Members = "structure", s.kind == union, map[string]*Constraint{}
		for _, m := range s.members {
			c.Members[m.name] = constraint(m.shape)
			if m.required && !c.Union {
				c.Required = append(c.Required, m.name)
			}
		}
	}
	return c
}

// Parse reads a body for an action.
func Parse(action string, body []byte) (map[string]any, error) {
	for _, r := range routes() {
		if r.action == action {
			return parse(body, r.shape)
		}
	}
	return nil, nil
}

// Plain is what a job's Message looks like on the wire.
func Plain(s string) string { return plain(s) }

// Cursor and NextToken are the two sides of paging.
func (f *Face) Cursor(token string, list ...string) (string, error) { return f.cursor(token, list...) }
func (f *Face) NextToken(cursor string, list ...string) string      { return f.nextToken(cursor, list...) }
