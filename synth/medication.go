package synth

// prescribe orders a drug for a reason, unless it is nil, and puts it on the pharmacy's bill. A drug for a passing
// ailment is stopped when that is over.
func (g *generator) prescribe(d *drug, passing bool, why *problem) id {
	v := &g.v
	at := g.begin("MedicationRequest")
	switch {
	case passing && v.end+40*day < g.until:
		g.code("status", "stopped")
	case passing && d.once:
		g.code("status", "completed")
	default:
		g.code("status", "active")
	}
	g.code("intent", "order")
	g.concept("medicationCodeableConcept", &d.what)
	g.context()
	g.dateTime("authoredOn", v.at)
	g.ref("requester", "Practitioner", v.practitioner())
	if why != nil {
		g.refs("reasonReference", "Condition", why.id)
	}
	if !d.once {
		g.dosage(d)
	}
	g.end()
	v.scripts = append(v.scripts, prescription{at, d})
	return at
}

// dosage appends how often the drug is taken.
func (g *generator) dosage(d *drug) {
	g.list("dosageInstruction")
	g.item()
	g.number("sequence", 1)
	if d.perDay == 0 {
		g.flag("asNeededBoolean", true)
	} else {
		g.open("timing")
		g.open("repeat")
		g.number("frequency", d.perDay)
		g.number("period", 1)
		g.code("periodUnit", "d")
		g.close()
		g.close()
		g.flag("asNeededBoolean", false)
		g.list("doseAndRate")
		g.item()
		g.concept("type", &ordered)
		g.open("doseQuantity")
		g.decimal("value", 1)
		g.close()
		g.close()
		g.done()
	}
	g.close()
	g.done()
}

var ordered = concept{hl7 + "dose-rate-type", "ordered", "Ordered"}

// administer records that staff gave a drug during the visit, as a request ordered.
func (g *generator) administer(d *drug, request id, why *problem) {
	v := &g.v
	g.begin("MedicationAdministration")
	g.code("status", "completed")
	g.concept("medicationCodeableConcept", &d.what)
	g.subject()
	g.ref("context", "Encounter", v.id)
	g.dateTime("effectiveDateTime", min(v.at+10*minute, v.end))
	g.list("performer")
	g.item()
	g.ref("actor", "Practitioner", v.practitioner())
	g.close()
	g.done()
	if why != nil {
		g.refs("reasonReference", "Condition", why.id)
	}
	g.ref("request", "MedicationRequest", request)
	g.end()
}

// treat orders a drug and gives it at once.
func (g *generator) treat(d *drug, why *problem) {
	g.administer(d, g.prescribe(d, true, why), why)
}
