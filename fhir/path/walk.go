package path

import "tarn/fhir"

// Sink takes what a walk finds.
type Sink interface {
	// Found takes a value of the kind Walk.Outs()[out]; the node may not exist where that says so.
	Found(out int, value fhir.Node)
	// Enter and Leave enclose what is found for one element that a composite's Base selects.
	Enter(query int)
	Leave(query int)
}

// Run walks over the element, mostly the root of a resource, and gives the sink all that is found. Values null are
// passed over. It does not allocate.
func (w *Walk) Run(element fhir.Node, to Sink) {
	r := run{root: element, to: to}
	r.value(w.root, element)
	for i := range w.truths {
		t := &w.truths[i]
		var found fhir.Node
		for _, name := range t.names {
			if found = element.Member(name); found.Exists() {
				break
			}
		}
		to.Found(t.out, found)
	}
}

type run struct {
	root fhir.Node
	to   Sink
}

// member follows a member: all its values if it is an array.
func (r *run) member(n *tree, v fhir.Node) {
	if v.Kind() != fhir.Array {
		r.value(n, v)
		if n.first != nil {
			r.value(n.first, v)
		}
		return
	}
	item := v.First()
	if n.first != nil && item.Exists() {
		r.value(n.first, item)
	}
	for ; item.Exists(); item = item.Next() {
		r.value(n, item)
	}
}

func (r *run) value(n *tree, v fhir.Node) {
	kind := v.Kind()
	if kind == fhir.Null || kind == 0 {
		return
	}
	for _, g := range n.groups {
		r.to.Enter(g)
	}
	for _, out := range n.found {
		r.to.Found(out, v)
	}
	if len(n.targets) > 0 {
		r.references(n, v)
	}
	for i := range n.branches {
		if b := &n.branches[i]; v.Member(b.when.Member).Is(b.when.Text) {
			r.value(b.then, v)
		}
	}
	if len(n.edges) > 0 && kind == fhir.Object {
		r.members(n, v)
	}
	for _, g := range n.groups {
		r.to.Leave(g)
	}
}

func (r *run) members(n *tree, v fhir.Node) {
	for child := v.First(); child.Exists(); child = child.Next() {
		var to *tree
		if child.KeyEscaped() {
			to = n.find(child.AppendKey(nil))
		} else {
			to = n.find(child.Key())
		}
		if to != nil {
			r.member(to, child)
		}
	}
}

func (r *run) references(n *tree, v fhir.Node) {
	target, ok := TargetType(r.root, v)
	if !ok {
		return
	}
	for _, t := range n.targets {
		if t.target == target {
			r.to.Found(t.out, v)
		}
	}
}
