package index

import (
	"sync"

	"tarn/fhir/path"
	"tarn/fhir/r4"
)

// plan is what is done for the parameters of one resource type: a walk, what becomes of its values, and where the
// entries of each parameter are found.
type plan struct {
	walk   *path.Walk
	acts   []act // by out of walk
	tuples []tuple
	params map[r4.ParamCode]*param
}

// act is what becomes of a value that the walk finds.
type act struct {
	param  uint16
	encode encoder // nil where the value cannot be compared
	part   int
	tuple  int // index into plan.tuples, or -1
}

// tuple is a composite parameter whose parts are collected.
type tuple struct {
	param uint16
	parts int
	query int
	extra *path.Walk // finds the parts that begin at %resource; nil where there are none
	acts  []act      // by out of extra
}

// param is a search parameter of the type: where its entries are.
type param struct {
	slots []slot
	parts [][]kind       // kinds of values of each part; one part but for composites
	types []r4.ParamType // what each part is compared as
}

// slot is where entries of a parameter are: those of param, with only those that refer to this type.
type slot struct {
	param uint16
	only  r4.Code
}

// kind is one kind of value that a part can have.
type kind struct {
	name  string    // of the structure
	codes *r4.Codes // of a code: its value set
}

var plans [r4.Count + 1]func() *plan

func init() {
	for c := range plans {
		plans[c] = sync.OnceValue(func() *plan { return newPlan(r4.Code(c)) })
	}
}

// planOf is the plan of a type, made when first asked for.
func planOf(typ r4.Code) *plan {
	if !typ.Valid() {
		return plans[0]()
	}
	return plans[typ]()
}

// newPlan makes the plan of a type. The definitions are embedded, so what does not compile is a fault of ours.
func newPlan(typ r4.Code) *plan {
	p := &plan{walk: &path.Walk{}, params: map[r4.ParamCode]*param{}}
	if !typ.Valid() {
		return p
	}
	units := unitsOf(typ)
	var queries []path.Query
	var owners []*unit
	for _, u := range units {
		p.params[u.param.Code] = &param{slots: u.slots, types: u.types, parts: make([][]kind, max(1, len(u.param.Components)))}
		if u.own() {
			queries, owners = append(queries, u.query), append(owners, u)
		}
	}
	p.walk = compiled(typ.Resource(), queries)
	mend(owners, p.walk.Outs())
	tuples := make([]int, len(owners))
	for i, u := range owners {
		tuples[i] = -1
		if u.query.Base != nil {
			tuples[i] = len(p.tuples)
			t := tuple{param: uint16(u.param.Code), parts: len(u.query.Parts), query: i}
			if own, ok := u.query.Resource(); ok {
				t.extra = compiled(typ.Resource(), []path.Query{own})
				for _, out := range t.extra.Outs() {
					t.acts = append(t.acts, p.act(u, out, tuples[i]))
				}
			}
			p.tuples = append(p.tuples, t)
		}
	}
	for _, out := range p.walk.Outs() {
		p.acts = append(p.acts, p.act(owners[out.Query], out, tuples[out.Query]))
	}
	for _, u := range units { // a parameter has the kinds of all that it shares entries with
		if !u.own() {
			to := p.params[u.param.Code]
			for _, s := range u.slots {
				for i, kinds := range p.params[r4.ParamCode(s.param)].parts {
					to.parts[i] = append(to.parts[i], kinds...)
				}
			}
		}
	}
	return p
}

func (p *plan) act(u *unit, out path.Out, tuple int) act {
	k := kind{name: "boolean"}
	if !out.Truth {
		k.name = out.Type.Name
		if b := out.Element.Binding; out.Type.Primitive == r4.CodeValue && b != nil {
			k.codes = b.Codes
		}
	}
	of := p.params[u.param.Code]
	of.parts[out.Part] = append(of.parts[out.Part], k)
	a := act{param: uint16(u.param.Code), part: out.Part, tuple: tuple}
	if out.Truth {
		a.encode = encodeTruth
		return a
	}
	a.encode = encoderOf(u.types[out.Part], k.name)
	return a
}

// mend gives the parts of composites a type that fits their elements: DocumentReference's relationship names the
// parameters of its two parts the wrong way round.
func mend(owners []*unit, outs []path.Out) {
	fits := map[[2]int]bool{}
	for _, out := range outs {
		if !out.Truth && encoderOf(owners[out.Query].types[out.Part], out.Type.Name) != nil {
			fits[[2]int{out.Query, out.Part}] = true
		}
	}
	for _, out := range outs {
		if u := owners[out.Query]; u.query.Base != nil && !fits[[2]int{out.Query, out.Part}] {
			if t := natural(out.Type.Name); t != 0 {
				u.types[out.Part] = t
			}
		}
	}
}

// natural is the type of parameter that a structure can only be meant for; 0 where there are several.
func natural(structure string) r4.ParamType {
	switch structure {
	case "code":
		return r4.ParamToken
	case "Reference":
		return r4.ParamReference
	}
	return 0
}

func compiled(root *r4.Structure, queries []path.Query) *path.Walk {
	w, err := path.Compile(root, queries)
	if err != nil {
		panic(err)
	}
	return w
}
