package patch

import "tarn/fhir"

// editor is a document under change, with the bounds that it keeps.
type editor struct {
	root   *value
	limits Limits
	size   int // bytes of the document, or somewhat more
	left   int // steps that may still be taken
}

// mostWork bounds the steps of one patch (values looked at, copied or compared), so that no small patch costs seconds.
const mostWork = 20_000_000

func (e *editor) maxBytes() int {
	if e.limits.MaxBytes > 0 {
		return e.limits.MaxBytes
	}
	return fhir.DefaultMaxBytes
}

func (e *editor) maxDepth() int {
	if e.limits.MaxDepth > 0 {
		return e.limits.MaxDepth
	}
	return fhir.DefaultMaxDepth
}

// spend counts steps.
func (e *editor) spend(steps int) error {
	if e.left -= steps; e.left < 0 {
		return tooMuch("the patch takes too many steps on a document of this size")
	}
	return nil
}

// open is v.open, counted.
func (e *editor) open(v *value) (*made, error) {
	m := v.open()
	return m, e.spend(1 + len(m.kids))
}

// grow counts a value that comes into the document below depth containers. It refuses what would be too large or too
// deep.
func (e *editor) grow(v *value, depth int) error {
	bytes, height, err := e.measure(v)
	if err != nil {
		return err
	}
	if v.name != nil {
		bytes += len(v.name.raw) + len(`"":`)
	}
	if e.size += bytes + 1; e.size > e.maxBytes() {
		return tooMuch("the result would have over %d bytes", e.maxBytes())
	}
	if depth+height > e.maxDepth() {
		return tooMuch("the result would nest deeper than %d", e.maxDepth())
	}
	return nil
}

// shrink counts a value that leaves the document.
func (e *editor) shrink(v *value) error {
	bytes, _, err := e.measure(v)
	if v.name != nil {
		bytes += len(v.name.raw) + len(`"":`)
	}
	e.size -= bytes
	return err
}

// measure is the length of a value's JSON and how many containers it nests.
func (e *editor) measure(v *value) (bytes, height int, err error) {
	if v.made == nil {
		height, err = e.height(v.node)
		return v.node.End() - v.node.Offset(), height, err
	}
	if k := v.made.kind; k != fhir.Object && k != fhir.Array {
		return len(v.made.raw), 0, e.spend(1)
	}
	if err := e.spend(1 + len(v.made.kids)); err != nil {
		return 0, 0, err
	}
	for _, kid := range v.made.kids {
		b, h, err := e.measure(kid)
		if err != nil {
			return 0, 0, err
		}
		if bytes += b + 1; kid.name != nil {
			bytes += len(kid.name.raw) + len(`"":`)
		}
		height = max(height, h)
	}
	return bytes + 2, height + 1, nil
}

func (e *editor) height(n fhir.Node) (int, error) {
	if k := n.Kind(); k != fhir.Object && k != fhir.Array {
		return 0, e.spend(1)
	}
	height := 0
	for child := n.First(); child.Exists(); child = child.Next() {
		h, err := e.height(child)
		if err != nil {
			return 0, err
		}
		height = max(height, h)
	}
	return height + 1, e.spend(1)
}

// identity is resourceType and id of the document, as JSON.
func (e *editor) identity() (id [2]string) {
	if e.root.kind() != fhir.Object {
		return id
	}
	for _, kid := range e.root.open().kids {
		switch string(kid.name.text) {
		case "resourceType":
			id[0] = string(kid.append(nil))
		case "id":
			id[1] = string(kid.append(nil))
		}
	}
	return id
}
