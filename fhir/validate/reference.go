package validate

import (
	"bytes"

	"tarn/fhir"
	"tarn/fhir/r4"
)

// reference holds a Reference: what begins with # is contained (ref-1), and the type that it points to is one of those
// that the element may point to.
func (v *Validator) reference(n fhir.Node, f *fieldPlan) {
	var target, kind fhir.Node
	for c := n.First(); c.Exists(); c = c.Next() {
		switch string(v.keyOf(c)) {
		case "reference":
			target = c
		case "type":
			kind = c
		}
	}
	var code r4.Code
	if target.Kind() == fhir.String {
		text := v.text(target)
		if len(text) > 0 && text[0] == '#' {
			code = v.fragment(target, text[1:])
		} else {
			code = targetType(text)
		}
		if code != 0 && f.targets != nil && !f.targets.has(code) {
			v.refuse(target, fhir.CodeValue, "points to a resource of the type "+code.String()+", which this element must not point to")
		}
	}
	if kind.Kind() != fhir.String {
		return
	}
	said, ok := r4.CodeOfBytes(v.text(kind))
	switch {
	case !ok:
	case code != 0 && said != code:
		v.refuse(kind, fhir.CodeValue, "is another type than that of the reference")
	case code == 0 && f.targets != nil && !f.targets.has(said):
		v.refuse(kind, fhir.CodeValue, "is the type "+said.String()+", which this element must not point to")
	}
}

// fragment is the type of what is contained under the id.
func (v *Validator) fragment(n fhir.Node, id []byte) r4.Code {
	if len(id) == 0 { // the container
		if v.box.within > 0 && v.box.within <= len(v.insides) {
			v.insides[v.box.within-1].mentions = true
		}
		return 0
	}
	i := v.find(id)
	if i == 0 {
		v.refuse(n, codeInvariant, "points to a contained resource that is not there (ref-1)")
		return 0
	}
	v.insides[i-1].mentions = true
	return v.insides[i-1].code
}

// mention notes a URI that points at a contained resource.
func (v *Validator) mention(n fhir.Node) {
	if !v.box.holding {
		return
	}
	text := v.text(n)
	if len(text) == 0 || text[0] != '#' {
		return
	}
	if len(text) == 1 && v.box.within > 0 && v.box.within <= len(v.insides) {
		v.insides[v.box.within-1].mentions = true
	} else if i := v.find(text[1:]); i != 0 {
		v.insides[i-1].mentions = true
	}
}

// targetType is the resource type in a literal reference, like fhir.ParseReference without a string; 0: none can be told.
func targetType(text []byte) r4.Code {
	if bytes.HasPrefix(text, []byte("urn:")) {
		return 0
	}
	if at := bytes.IndexByte(text, '?'); at >= 0 {
		code, _ := r4.CodeOfBytes(text[:at])
		return code
	}
	slash := bytes.LastIndexByte(text, '/')
	if slash > 0 && bytes.HasSuffix(text[:slash], []byte("/_history")) {
		text = text[:slash-len("/_history")]
		slash = bytes.LastIndexByte(text, '/')
	}
	if slash < 0 || slash+1 == len(text) || !isID(text[slash+1:]) {
		return 0
	}
	text = text[:slash]
	code, _ := r4.CodeOfBytes(text[bytes.LastIndexByte(text, '/')+1:])
	return code
}
