package r4

// Kind says what a Structure describes.
type Kind uint8

// The kinds of structure.
const (
	KindPrimitive Kind = iota + 1 // string, date, code, ...
	KindComplex                   // a data type with elements: HumanName, Extension
	KindBackbone                  // elements nested in a type: Patient.contact
	KindResource                  // a resource type, the abstract ones (Resource, DomainResource) too
)

// Primitive is the number of a primitive type (http://hl7.org/fhir/R4/datatypes.html#primitive); 0 is none.
type Primitive uint8

// The primitive types. What the definitions call a System.String is String in Element.id, ID in Resource.id and URI in
// Extension.url.
const (
	Base64Binary Primitive = iota + 1
	Boolean
	Canonical
	CodeValue // the primitive type code
	Date
	DateTime
	Decimal
	ID
	Instant
	Integer
	Markdown
	OID
	PositiveInt
	String
	Time
	UnsignedInt
	URI
	URL
	UUID
	XHTML
)

var primitives = [...]string{Base64Binary: "base64Binary", Boolean: "boolean", Canonical: "canonical", CodeValue: "code",
	Date: "date", DateTime: "dateTime", Decimal: "decimal", ID: "id", Instant: "instant", Integer: "integer",
	Markdown: "markdown", OID: "oid", PositiveInt: "positiveInt", String: "string", Time: "time",
	UnsignedInt: "unsignedInt", URI: "uri", URL: "url", UUID: "uuid", XHTML: "xhtml"}

// String is the name of the type: dateTime.
func (p Primitive) String() string {
	if int(p) >= len(primitives) {
		return ""
	}
	return primitives[p]
}

func primitiveOf(name string) Primitive {
	for p, n := range primitives {
		if n == name {
			return Primitive(p)
		}
	}
	return 0
}

// Structure is what FHIR defines for a resource type, a data type or a nested element: its snapshot, inherited elements
// first. It is shared and must not be changed.
type Structure struct {
	Name       string // Patient, HumanName, string, Patient.contact
	Kind       Kind
	Abstract   bool      // Element, BackboneElement, Resource, DomainResource
	Code       Code      // of a concrete resource type; else 0
	Primitive  Primitive // of a primitive type; else 0
	Elements   []Element // in the order of the definition; of a primitive: id and extension only
	Invariants []string  // keys of the invariants on the structure itself: dom-2, per-1, pat-1 of Patient.contact; ele-1 is left out
	fields     fieldIndex
}

// Element is one element of a Structure (an ElementDefinition). Content references are resolved: such an element's type
// is the structure it refers to.
type Element struct {
	Name       string // as in the definition: name, value[x]
	Min        int
	Max        int  // -1 is *
	Array      bool // a JSON array: the base definition allows more than one
	Choice     bool // value[x]
	Summary    bool // isSummary
	Modifier   bool // isModifier
	Fields     []Field
	Binding    *Binding // nil where there is none
	Invariants []string // keys on this element beyond those of its structure; ele-1 and ext-1 are left out
}

// Field is one JSON name of an Element: the element's own, or one for each type of a choice (valueQuantity).
type Field struct {
	Name    string     // valueQuantity
	Type    *Structure // what stands there; for any resource (contained, Bundle.entry.resource): Resource
	Targets []string   // of Reference and canonical: the resource types or profile names it may point to; nil is any
}

// Strength of a binding, the strongest first.
type Strength uint8

// The strengths of a binding (http://hl7.org/fhir/R4/terminologies.html#strength).
const (
	Required Strength = iota + 1
	Extensible
	Preferred
	Example
)

// Binding ties coded content to a value set.
type Binding struct {
	Strength Strength
	ValueSet string // canonical URL, without a version
	Codes    *Codes // its content; nil where it cannot be listed offline, or the binding is not required
}

// Place is where an element is found in its Structure by the JSON name.
type Place struct {
	Element int // index into Structure.Elements
	Field   int // index into Element.Fields
}

// Find is the place of a JSON name (without a leading underscore) in the structure. It does not allocate.
func (s *Structure) Find(name []byte) (Place, bool) { return findField(&s.fields, name) }

// FindString is Find for a string.
func (s *Structure) FindString(name string) (Place, bool) { return findField(&s.fields, name) }

// StructureOf is the structure of this name: a resource type, data type or nested element (Patient.contact); nil where
// there is none.
func StructureOf(name string) *Structure { return load().structures[name] }

// Resource is the structure of a concrete resource type; nil for a Code that is none.
func (c Code) Resource() *Structure {
	if !c.Valid() {
		return nil
	}
	return load().resources[c]
}

// Structures are all structures in the order of their names. The slice is shared.
func Structures() []Structure { return load().all }
