// Package path compiles the FHIRPath expressions of search parameters. They keep to a few shapes: plain paths, "as" a
// type, where() with one literal, where(resolve() is Type), [0], and the one that asks whether a patient is deceased. All
// expressions for one structure become one tree, so that a single walk over a document finds the values of all of them.
package path

import (
	"strings"
)

// Path is one alternative of an expression: an expression is the union of its paths.
type Path struct {
	Resource bool // begins at %resource, the resource that holds the element
	Steps    []Step
	Target   string // where(resolve() is Target) at the end: references to this resource type only
	Truth    bool   // X.exists() and X != false: one boolean, whether or not there is a value
}

// Step goes from an element to its children of a name.
type Step struct {
	Name  string // of the element; of a choice without its type: value
	As    string // children of this type only; empty is any
	Where Condition
	First bool // the first child only
}

// Condition keeps the elements that have a member with this text; no Member keeps all.
type Condition struct{ Member, Text string }

// String writes the path as FHIRPath, without the type that it begins with: two paths select the same if they are
// written the same.
func (p Path) String() string {
	var b strings.Builder
	if p.Resource {
		b.WriteString("%resource")
	}
	for i, s := range p.Steps {
		if i > 0 || p.Resource {
			b.WriteByte('.')
		}
		b.WriteString(s.Name)
		if s.First {
			b.WriteString("[0]")
		}
		if s.As != "" {
			b.WriteString(".as(" + s.As + ")")
		}
		if s.Where.Member != "" {
			b.WriteString(".where(" + s.Where.Member + "='" + s.Where.Text + "')")
		}
	}
	if p.Target != "" {
		b.WriteString(".where(resolve() is " + p.Target + ")")
	}
	if p.Truth {
		return b.String() + ".exists() and " + b.String() + " != false"
	}
	return b.String()
}

// Join is the path that goes on from p with the steps of q.
func (p Path) Join(q Path) Path {
	q.Steps = append(append(make([]Step, 0, len(p.Steps)+len(q.Steps)), p.Steps...), q.Steps...)
	return q
}
