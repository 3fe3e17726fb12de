package profile

import (
	"slices"

	"tarn/fhir"
	"tarn/fhir/invariant"
	"tarn/fhir/r4"
)

const codeInvariant = "invariant"

// rule is an invariant that a profile adds.
type rule struct {
	key      string
	severity string
	human    string
	test     *invariant.Expr // nil: it cannot be evaluated here
}

// ownRules are the invariants of an element that FHIR itself does not have, and that general, which is looked at for the
// same items, does not have either.
func (n *node) ownRules(general *node) []rule {
	var all []rule
	for _, ref := range n.invariants {
		if general != nil && slices.ContainsFunc(general.invariants, func(g invariantRef) bool { return g.key == ref.key }) {
			continue
		}
		known, ok := r4.InvariantOf(ref.key, "")
		if ref.key == "ele-1" || ref.key == "ext-1" || ok && known.Expression == ref.expression || ref.expression == "" {
			continue
		}
		r := rule{key: ref.key, severity: fhir.SeverityError, human: ref.human}
		if ref.severity == "warning" {
			r.severity = fhir.SeverityWarning
		}
		r.test, _ = invariant.Compile(ref.expression)
		all = append(all, r)
	}
	return all
}

// ruled holds an item against the invariants of the profile.
func (c *checker) ruled(n *node, it item) {
	focus := it.where()
	if !focus.Exists() {
		return
	}
	if !c.scope.Resource.Exists() || c.scope.Resource.Index() != c.within.Index() {
		c.scope = c.scopeOf(c.within)
	}
	for i := range n.rules {
		r := &n.rules[i]
		switch {
		case r.test == nil:
			c.tell(focus, "", n, "the rule ", r.key, " cannot be evaluated here")
		case c.judge.Holds(r.test, focus, c.scope) || c.silent(r.severity):
		default:
			c.issue(r.severity, codeInvariant, focus, "", c.say(n, []string{r.human, " (", r.key, ")"}))
		}
	}
}

// scopeOf is what the invariants of a resource can name outside of their focus.
func (c *checker) scopeOf(resource fhir.Node) invariant.Scope {
	scope := invariant.Scope{Resource: resource, RootResource: resource}
	root := c.doc.Root()
	if root.Index() == resource.Index() {
		return scope
	}
	if isContained(root, resource) {
		scope.RootResource = root
		return scope
	}
	for entry := range root.Member("entry").Children() {
		if res := entry.Member("resource"); res.Exists() && isContained(res, resource) {
			scope.RootResource = res
		}
	}
	return scope
}

func isContained(in, resource fhir.Node) bool {
	for one := range in.Member("contained").Children() {
		if one.Index() == resource.Index() {
			return true
		}
	}
	return false
}
