package synth

// billed appends what Claim and ExplanationOfBenefit have in common, from status to created.
func (g *generator) billed(sort string, start, end, created stamp) {
	g.code("status", "active")
	g.bare("type", hl7+"claim-type", sort)
	g.code("use", "claim")
	g.ref("patient", "Patient", g.p.id)
	g.period("billablePeriod", start, end)
	g.dateTime("created", created)
}

func (g *generator) normalPriority() { g.bare("priority", hl7+"processpriority", "normal") }

// payerAs appends who pays, as a reference that only has a name.
func (g *generator) payerAs(name string) {
	g.open(name)
	g.code("display", g.p.payer)
	g.close()
}

// insurance appends the insurance of a Claim.
func (g *generator) insurance() {
	g.list("insurance")
	g.item()
	g.number("sequence", 1)
	g.flag("focal", true)
	g.payerAs("coverage")
	g.close()
	g.done()
}

// visited appends the encounter of an item.
func (g *generator) visited() {
	g.list("encounter")
	g.item()
	g.pointer("Encounter", g.v.id)
	g.close()
	g.done()
}

// pharmacyClaim asks for the price of a prescription.
func (g *generator) pharmacyClaim(s *prescription) {
	v := &g.v
	g.begin("Claim")
	g.billed("pharmacy", v.at, v.end, v.end)
	g.ref("provider", "Organization", v.site.organization)
	g.normalPriority()
	g.ref("prescription", "MedicationRequest", s.id)
	g.insurance()
	g.list("item")
	g.item()
	g.number("sequence", 1)
	g.concept("productOrService", &v.kind.what)
	g.visited()
	g.close()
	g.done()
	g.money("total", s.drug.price.dollars())
	g.end()
}

// claim asks for the price of the visit and returns the Claim's id and total.
func (g *generator) claim() (id, cents) {
	v := &g.v
	total := v.kind.price
	at := g.begin("Claim")
	g.billed("institutional", v.at, v.end, v.end)
	g.ref("provider", "Organization", v.site.organization)
	g.normalPriority()
	g.grounds("supportingInfo", information, nil)
	g.grounds("diagnosis", diagnosis, nil)
	g.grounds("procedure", procedure, nil)
	g.insurance()
	g.list("item")
	g.item()
	g.number("sequence", 1)
	g.concept("productOrService", &v.kind.what)
	g.visited()
	g.close()
	for i := range v.lines {
		l := &v.lines[i]
		g.item()
		g.number("sequence", i+2)
		g.rests([lineSorts]string{"diagnosisSequence", "procedureSequence", "informationSequence"}[l.sort], l)
		g.concept("productOrService", l.what)
		if l.sort != diagnosis {
			g.money("net", l.price.dollars())
		}
		g.close()
		total += l.price
	}
	g.done()
	g.money("total", total.dollars())
	g.end()
	return at, total
}

// grounds appends what the items of the bill of one sort rest upon, unless there are none.
func (g *generator) grounds(name string, sort lineSort, role *concept) {
	started := false
	for i := range g.v.lines {
		l := &g.v.lines[i]
		if l.sort != sort {
			continue
		}
		if !started {
			g.list(name)
			started = true
		}
		g.item()
		g.number("sequence", l.number)
		switch sort {
		case information:
			g.bare("category", hl7+"claiminformationcategory", "info")
			g.ref("valueReference", "Immunization", l.target)
		case diagnosis:
			g.ref("diagnosisReference", "Condition", l.target)
			if role != nil {
				g.concepts("type", role)
			}
		case procedure:
			g.ref("procedureReference", "Procedure", l.target)
		}
		g.close()
	}
	if started {
		g.done()
	}
}

var principal = concept{hl7 + "ex-diagnosistype", "principal", ""}

// rests appends which of the grounds an item rests upon.
func (g *generator) rests(name string, l *line) {
	g.list(name)
	g.buf = appendInt(g.buf, l.number)
	g.done()
}
