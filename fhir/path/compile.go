package path

import (
	"strings"

	"tarn/fault"
	"tarn/fhir/r4"
)

// Query is what is looked for: an expression in one part, or a composite. The parts of a composite begin at each element
// that Base selects, and their values belong together.
type Query struct {
	Base  []Path // nil where there is one part, from the structure itself
	Parts [][]Path
}

// Out is one kind of value that a Walk finds: which part of which Query asks for it, and what the definitions say of it.
type Out struct {
	Query, Part int
	Type        *r4.Structure
	Element     *r4.Element // nil for the structure itself
	Truth       bool        // the value counts as a boolean, see Path; it is found once, perhaps as no node
}

// Walk finds the values of many queries in one pass. It never changes and may be used by several goroutines.
type Walk struct {
	root   *tree
	outs   []Out
	truths []truth
}

type truth struct {
	names []string // of the JSON members
	out   int
}

// Outs are the kinds of values that the walk can find; Sink gets their numbers.
func (w *Walk) Outs() []Out { return w.outs }

// Compile makes one walk of all queries for documents of a structure. A part that begins at %resource while its base does
// not is left out: see Resource.
func Compile(root *r4.Structure, queries []Query) (*Walk, error) {
	c := &compiler{walk: &Walk{root: &tree{}}, seen: map[Out]int{}}
	for i, q := range queries {
		if q.Base == nil {
			if err := c.parts(c.walk.root, root, i, q.Parts); err != nil {
				return nil, err
			}
			continue
		}
		for _, base := range q.Base {
			err := c.follow(c.walk.root, root, nil, base.Steps, func(n *tree, s *r4.Structure, _ *r4.Element) error {
				n.groups = append(n.groups, i)
				return c.parts(n, s, i, q.Parts)
			})
			if err != nil {
				return nil, err
			}
		}
	}
	c.walk.root.seal()
	return c.walk, nil
}

// Resource are the parts of a composite that begin at %resource, as a query of their own on the whole resource; parts
// that do not are empty. ok is false where there are none.
func (q Query) Resource() (own Query, ok bool) {
	if q.Base == nil {
		return Query{}, false
	}
	own.Parts = make([][]Path, len(q.Parts))
	for i, paths := range q.Parts {
		for _, p := range paths {
			if p.Resource {
				p.Resource, ok = false, true
				own.Parts[i] = append(own.Parts[i], p)
			}
		}
	}
	return own, ok
}

type compiler struct {
	walk *Walk
	seen map[Out]int
}

func (c *compiler) parts(n *tree, s *r4.Structure, query int, parts [][]Path) error {
	for i, paths := range parts {
		for _, p := range paths {
			if p.Resource {
				continue
			}
			found := 0
			err := c.follow(n, s, nil, p.Steps, func(n *tree, s *r4.Structure, e *r4.Element) error {
				found++
				return c.end(n, p, Out{Query: query, Part: i, Type: s, Element: e, Truth: p.Truth})
			})
			if err != nil {
				return err
			}
			if found == 0 {
				return fault.Errorf(fault.Invalid, "path.Compile", "%s has no element %s", s.Name, p)
			}
		}
	}
	return nil
}

// end puts an out at the end of a path.
func (c *compiler) end(n *tree, p Path, out Out) error {
	if p.Truth { // absence counts too, so the value is looked up and not met
		out.Type = nil
	}
	number, ok := c.seen[out]
	if !ok {
		number = len(c.walk.outs)
		c.walk.outs = append(c.walk.outs, out)
		c.seen[out] = number
	}
	switch {
	case p.Truth:
		if len(p.Steps) != 1 {
			return fault.Errorf(fault.Invalid, "path.Compile", "%s asks for more than one step", p)
		}
		if !ok {
			t := truth{out: number}
			for i := range out.Element.Fields {
				t.names = append(t.names, out.Element.Fields[i].Name)
			}
			c.walk.truths = append(c.walk.truths, t)
		}
	case p.Target != "":
		target, ok := r4.CodeOf(p.Target)
		if !ok {
			return fault.Errorf(fault.Invalid, "path.Compile", "%s asks for a type that is none", p)
		}
		n.targets = append(n.targets, ofType{number, target})
	default:
		n.found = append(n.found, number)
	}
	return nil
}

// specialized are the types that are of another type too.
var specialized = map[string]string{"canonical": "uri", "url": "uri", "oid": "uri", "uuid": "uri", "code": "string", "id": "string",
	"markdown": "string", "positiveInt": "integer", "unsignedInt": "integer", "Age": "Quantity", "Count": "Quantity",
	"Distance": "Quantity", "Duration": "Quantity"}

// isA reports whether a type is the one asked for, or special of it; no type asked for is any. Case does not matter, since
// a parameter of Observation says DateTime.
func isA(name, asked string) bool {
	return asked == "" || strings.EqualFold(name, asked) || strings.EqualFold(specialized[name], asked)
}

// follow calls end for each kind of element that the steps lead to.
func (c *compiler) follow(n *tree, s *r4.Structure, e *r4.Element, steps []Step, end func(*tree, *r4.Structure, *r4.Element) error) error {
	if len(steps) == 0 {
		return end(n, s, e)
	}
	step := steps[0]
	for i := range s.Elements {
		element := &s.Elements[i]
		if element.Name != step.Name && element.Name != step.Name+"[x]" {
			continue
		}
		for j := range element.Fields {
			field := &element.Fields[j]
			if field.Type == nil || !isA(field.Type.Name, step.As) {
				continue
			}
			next := n.child(field.Name)
			if step.First {
				next = next.onlyFirst()
			}
			if step.Where.Member != "" {
				next = next.branch(step.Where)
			}
			if err := c.follow(next, field.Type, element, steps[1:], end); err != nil {
				return err
			}
		}
	}
	return nil
}
