package patch

import (
	"slices"
	"strconv"

	"tarn/fhir"
	"tarn/fhir/r4"
)

// pathOperation is one operation of a FHIRPath Patch.
type pathOperation struct {
	word                       string // add, insert, delete, replace, move
	text                       string // path as given
	path                       steps
	name                       string    // add: of the element
	value                      fhir.Node // add, insert, replace: the part with the value
	index, source, destination int
}

func (o *pathOperation) about() (word, path string) { return o.word, o.text }

// wants are the parts of an operation beside type and path.
var wants = map[string][]string{
	"add":     {"name", "value"},
	"insert":  {"index", "value"},
	"delete":  {},
	"replace": {"value"},
	"move":    {"source", "destination"},
}

// ParseParameters reads a FHIRPath Patch: a Parameters resource whose parameters are operations. What breaks its rules
// is fault.Invalid, told with the operation's index.
func ParseParameters(body []byte, l Limits) (*Patch, error) {
	doc, err := fhir.NewParser(l).Scan(append([]byte(nil), body...))
	if err != nil {
		return nil, err
	}
	root := doc.Root()
	if root.Kind() != fhir.Object || !root.Member("resourceType").Is("Parameters") {
		return nil, malformed(-1, "A FHIRPath Patch is a resource of type Parameters.")
	}
	p := &Patch{limits: l}
	all := root.Member("parameter")
	if all.Exists() && all.Kind() != fhir.Array {
		return nil, malformed(-1, "Parameters.parameter is an array, this is: %s.", all.Kind())
	}
	for n := all.First(); n.Exists(); n = n.Next() {
		i := len(p.operations)
		if i == MaxOperations {
			return nil, tooMany()
		}
		if n.Kind() != fhir.Object || !n.Member("name").Is("operation") {
			return nil, malformed(i, "each parameter of a FHIRPath Patch has the name \"operation\".")
		}
		o, err := pathOperationOf(i, n)
		if err != nil {
			return nil, err
		}
		p.operations = append(p.operations, o)
	}
	return p, nil
}

func pathOperationOf(i int, n fhir.Node) (*pathOperation, error) {
	parts, err := partsOf(i, n)
	if err != nil {
		return nil, err
	}
	o := new(pathOperation)
	if o.word, err = textPart(i, parts, "type"); err != nil {
		return nil, err
	}
	wanted, ok := wants[o.word]
	if !ok {
		return nil, malformed(i, "there is no type %s; there are add, insert, delete, replace and move.", shown(o.word))
	}
	for name := range parts {
		if name != "type" && name != "path" && !slices.Contains(wanted, name) {
			return nil, malformed(i, "%s has no part %s.", o.word, shown(name))
		}
	}
	if o.text, err = textPart(i, parts, "path"); err != nil {
		return nil, err
	}
	if o.path, err = parsePath(o.text); err != nil {
		return nil, malformed(i, "the path %s cannot be read: %s.", shown(o.text), err)
	}
	for _, name := range wanted {
		switch name {
		case "name":
			o.name, err = textPart(i, parts, name)
		case "value":
			if o.value = parts[name]; !o.value.Exists() {
				err = malformed(i, "the part \"value\" is missing.")
			}
		case "index":
			o.index, err = numberPart(i, parts, name)
		case "source":
			o.source, err = numberPart(i, parts, name)
		case "destination":
			o.destination, err = numberPart(i, parts, name)
		}
		if err != nil {
			return nil, err
		}
	}
	return o, nil
}

// partsOf are the parts of a parameter by their names.
func partsOf(i int, n fhir.Node) (map[string]fhir.Node, error) {
	parts := map[string]fhir.Node{}
	all := n.Member("part")
	if all.Kind() != fhir.Array {
		return nil, malformed(i, "an operation needs parts.")
	}
	for part := all.First(); part.Exists(); part = part.Next() {
		name := part.Member("name")
		if name.Kind() != fhir.String {
			return nil, malformed(i, "each part has a name, a string.")
		}
		text := string(name.AppendText(nil))
		if _, twice := parts[text]; twice {
			return nil, malformed(i, "the part %s stands twice.", shown(text))
		}
		parts[text] = part
	}
	return parts, nil
}

// typedValue is the value[x] of a parameter or part with its id and extensions beside it; typ is nil where there is
// none.
func typedValue(part fhir.Node) (typ *r4.Structure, v, twin fhir.Node) {
	parameter := r4.StructureOf("Parameters.parameter")
	for m := part.First(); m.Exists(); m = m.Next() {
		key := m.AppendKey(nil)
		bare, isTwin := cutTwin(string(key))
		at, ok := parameter.FindString(bare)
		if !ok || !parameter.Elements[at.Element].Choice {
			continue
		}
		typ = parameter.Elements[at.Element].Fields[at.Field].Type
		if isTwin {
			twin = m
		} else {
			v = m
		}
	}
	return typ, v, twin
}

func textPart(i int, parts map[string]fhir.Node, name string) (string, error) {
	part, ok := parts[name]
	if !ok {
		return "", malformed(i, "the part %q is missing.", name)
	}
	if _, v, _ := typedValue(part); v.Kind() == fhir.String {
		return string(v.AppendText(nil)), nil
	}
	return "", malformed(i, "the part %q needs a value of type string.", name)
}

func numberPart(i int, parts map[string]fhir.Node, name string) (int, error) {
	part, ok := parts[name]
	if !ok {
		return 0, malformed(i, "the part %q is missing.", name)
	}
	if _, v, _ := typedValue(part); v.Kind() == fhir.Number {
		if n, err := strconv.ParseUint(string(v.Raw()), 10, 31); err == nil {
			return int(n), nil
		}
	}
	return 0, malformed(i, "the part %q needs a value of type integer, 0 or above.", name)
}
