package synth

// concept is one code of a code system.
type concept struct{ system, code, display string }

const (
	snomed = "http://snomed.info/sct"
	loinc  = "http://loinc.org"
	rxnorm = "http://www.nlm.nih.gov/research/umls/rxnorm"
	cvx    = "http://hl7.org/fhir/sid/cvx"
	ucum   = "http://unitsofmeasure.org"
	hl7    = "http://terminology.hl7.org/CodeSystem/"
)

func sct(code, display string) concept { return concept{snomed, code, display} }

// coding appends the members of a Coding.
func (j *json) coding(c *concept) {
	j.code("system", c.system)
	j.code("code", c.code)
	if c.display != "" {
		j.text("display", c.display)
	}
}

// codeable appends the members of a CodeableConcept with its display as text.
func (j *json) codeable(c *concept) {
	j.list("coding")
	j.item()
	j.coding(c)
	j.close()
	j.done()
	if c.display != "" {
		j.text("text", c.display)
	}
}

// concept appends a member with a CodeableConcept.
func (j *json) concept(name string, c *concept) {
	j.open(name)
	j.codeable(c)
	j.close()
}

// concepts appends a member with a list of one CodeableConcept.
func (j *json) concepts(name string, c *concept) {
	j.list(name)
	j.item()
	j.codeable(c)
	j.close()
	j.done()
}

// bare appends a member with a CodeableConcept that has a code and no words.
func (j *json) bare(name, system, code string) {
	j.open(name)
	j.list("coding")
	j.item()
	j.code("system", system)
	j.code("code", code)
	j.close()
	j.done()
	j.close()
}

// pointer appends the member of a Reference that points.
func (j *json) pointer(kind string, at id) {
	j.key("reference")
	j.buf = append(j.buf, '"')
	j.buf = append(j.buf, kind...)
	j.buf = append(j.buf, '/')
	j.buf = at.append(j.buf)
	j.buf = append(j.buf, '"')
}

// ref appends a member with a Reference.
func (j *json) ref(name, kind string, at id) {
	j.open(name)
	j.pointer(kind, at)
	j.close()
}

// named appends a member with a Reference and the name of what it points to.
func (j *json) named(name, kind string, at id, display string) {
	j.open(name)
	j.pointer(kind, at)
	j.text("display", display)
	j.close()
}

// refs appends a member with a list of References, unless there are none.
func (j *json) refs(name, kind string, at ...id) {
	if len(at) == 0 {
		return
	}
	j.list(name)
	for _, a := range at {
		j.item()
		j.pointer(kind, a)
		j.close()
	}
	j.done()
}

// period appends a member with a Period; without an end if end is 0.
func (j *json) period(name string, start, end stamp) {
	j.open(name)
	j.dateTime("start", start)
	if end != 0 {
		j.dateTime("end", end)
	}
	j.close()
}

// quantity appends a member with a Quantity in a UCUM unit: all digits of the double, or so many places if not negative.
func (j *json) quantity(name string, value float64, places int, unit string) {
	j.open(name)
	if places < 0 {
		j.decimal("value", value)
	} else {
		j.fixed("value", value, places)
	}
	j.code("unit", unit)
	j.code("system", ucum)
	j.code("code", unit)
	j.close()
}

// cents is an amount of US dollars.
type cents int64

func (c cents) dollars() float64 { return float64(c) / 100 }

// money appends a member with a Money, in doubles as a careless biller computes them.
func (j *json) money(name string, dollars float64) {
	j.open(name)
	j.decimal("value", dollars)
	j.code("currency", "USD")
	j.close()
}

// narrative appends the narrative's start; the caller appends escaped XHTML and calls endNarrative.
func (j *json) narrative() {
	j.open("text")
	j.code("status", "generated")
	j.key("div")
	j.buf = append(j.buf, '"')
	j.escaped(`<div xmlns="http://www.w3.org/1999/xhtml">`)
}

func (j *json) endNarrative() {
	j.escaped("</div>")
	j.buf = append(j.buf, '"')
	j.close()
}

// coded appends a member with a CodeableConcept of a code and its display alone.
func (j *json) coded(name string, c *concept) {
	j.open(name)
	j.list("coding")
	j.item()
	j.coding(c)
	j.close()
	j.done()
	j.close()
}
