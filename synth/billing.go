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
	g.grounds(false)
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
		g.grounding(l)
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

// grounds appends supportingInfo, diagnosis and procedure: what the items of the bill rest upon.
func (g *generator) grounds(typed bool) {
	for sort := information; ; sort = (sort + 1) % lineSorts { // as the definition orders them
		started := false
		for i := range g.v.lines {
			l := &g.v.lines[i]
			if l.sort != sort {
				continue
			}
			if !started {
				g.list([lineSorts]string{"diagnosis", "procedure", "supportingInfo"}[sort])
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
				if typed {
					g.list("type")
					g.item()
					g.codeable(&principal)
					g.close()
					g.done()
				}
			case procedure:
				g.ref("procedureReference", "Procedure", l.target)
			}
			g.close()
		}
		if started {
			g.done()
		}
		if sort == procedure {
			return
		}
	}
}

var principal = concept{hl7 + "ex-diagnosistype", "principal", ""}

// grounding appends which of the grounds an item rests upon.
func (g *generator) grounding(l *line) {
	g.list([lineSorts]string{"diagnosisSequence", "procedureSequence", "informationSequence"}[l.sort])
	g.buf = appendInt(g.buf, l.number)
	g.done()
}

// explain makes the ExplanationOfBenefit for a claim.
func (g *generator) explain(claim id, total cents) {
	p, v := &g.p, &g.v
	created := min(v.end+stamp(g.between(1, 72))*hour, g.until)
	g.begin("ExplanationOfBenefit")
	g.contained()
	g.list("identifier")
	g.item()
	g.code("system", "https://bluebutton.cms.gov/resources/variables/clm_id")
	g.key("value")
	g.uuid(claim)
	g.close()
	g.item()
	g.code("system", "https://bluebutton.cms.gov/resources/identifier/claim-group")
	g.code("value", "99999999999")
	g.close()
	g.done()
	g.billed("institutional", v.at, min(v.end+year, g.until), created)
	g.payerAs("insurer")
	g.ref("provider", "Practitioner", v.practitioner())
	g.local("referral", "#referral")
	g.ref("claim", "Claim", claim)
	g.code("outcome", "complete")
	g.list("careTeam")
	g.item()
	g.number("sequence", 1)
	g.ref("provider", "Practitioner", v.practitioner())
	g.concept("role", &primaryCare)
	g.close()
	g.done()
	g.grounds(true)
	g.list("insurance")
	g.item()
	g.flag("focal", true)
	g.open("coverage")
	g.code("reference", "#coverage")
	g.code("display", p.payer)
	g.close()
	g.close()
	g.done()
	g.list("item")
	g.explainVisit()
	for i := range v.lines {
		g.explainLine(i+2, &v.lines[i])
	}
	g.done()
	g.list("total")
	g.item()
	g.concept("category", &submitted)
	g.money("amount", total.dollars())
	g.close()
	g.done()
	g.open("payment")
	g.money("amount", scaled(total.dollars(), 0.8))
	g.close()
	g.end()
}

// contained appends the referral and the coverage that only this explanation knows.
func (g *generator) contained() {
	p, v := &g.p, &g.v
	g.list("contained")
	g.item()
	g.code("resourceType", "ServiceRequest")
	g.code("id", "referral")
	g.code("status", "completed")
	g.code("intent", "order")
	g.subject()
	g.ref("requester", "Practitioner", v.practitioner())
	g.refs("performer", "Practitioner", v.practitioner())
	g.close()
	g.item()
	g.code("resourceType", "Coverage")
	g.code("id", "coverage")
	g.code("status", "active")
	g.open("type")
	g.code("text", p.payer)
	g.close()
	g.ref("beneficiary", "Patient", p.id)
	g.list("payor")
	g.item()
	g.code("display", p.payer)
	g.close()
	g.done()
	g.close()
	g.done()
}

// local appends a Reference to something contained.
func (g *generator) local(name, target string) {
	g.open(name)
	g.code("reference", target)
	g.close()
}

// explainVisit appends the item for the visit itself.
func (g *generator) explainVisit() {
	v := &g.v
	g.item()
	g.number("sequence", 1)
	g.served(&v.kind.what)
	g.visited()
	g.close()
}

// explainLine appends the item for a line and, if it costs anything, how its price is shared.
func (g *generator) explainLine(sequence int, l *line) {
	g.item()
	g.number("sequence", sequence)
	g.grounding(l)
	g.served(l.what)
	if l.sort != diagnosis {
		price := l.price.dollars()
		g.money("net", price)
		g.list("adjudication")
		g.adjudicate(&coinsurance, scaled(price, 0.2))
		g.adjudicate(&providerPay, scaled(price, 0.8))
		g.adjudicate(&submittedCharge, price)
		g.adjudicate(&allowedCharge, price)
		g.adjudicate(&deductible, 0)
		g.item()
		g.coded("category", &processing)
		g.close()
		g.done()
	}
	g.close()
}

// served appends what an item was for, when and where.
func (g *generator) served(what *concept) {
	v := &g.v
	g.coded("category", &medicalCare)
	g.concept("productOrService", what)
	g.open("servicedPeriod")
	g.localTime("start", v.at, v.site.town.zone)
	g.localTime("end", v.end, v.site.town.zone)
	g.close()
	if v.site.hospital {
		g.coded("locationCodeableConcept", &onCampus)
	} else {
		g.coded("locationCodeableConcept", &offCampus)
	}
}

func (g *generator) adjudicate(what *concept, dollars float64) {
	g.item()
	g.coded("category", what)
	g.money("amount", dollars)
	g.close()
}

const (
	adjudication = "https://bluebutton.cms.gov/resources/codesystem/adjudication"
	cmsVariable  = "https://bluebutton.cms.gov/resources/variables/"
)

var (
	primaryCare = concept{hl7 + "claimcareteamrole", "primary", "Primary Care Practitioner"}
	submitted   = concept{hl7 + "adjudication", "submitted", "Submitted Amount"}
	medicalCare = concept{cmsVariable + "line_cms_type_srvc_cd", "1", "Medical care"}
	onCampus    = concept{hl7 + "ex-serviceplace", "21", "Inpatient Hospital"}
	offCampus   = concept{hl7 + "ex-serviceplace", "19", "Off Campus-Outpatient Hospital"}

	coinsurance     = concept{adjudication, cmsVariable + "line_coinsrnc_amt", "Line Beneficiary Coinsurance Amount"}
	providerPay     = concept{adjudication, cmsVariable + "line_prvdr_pmt_amt", "Line Provider Payment Amount"}
	submittedCharge = concept{adjudication, cmsVariable + "line_sbmtd_chrg_amt", "Line Submitted Charge Amount"}
	allowedCharge   = concept{adjudication, cmsVariable + "line_alowd_chrg_amt", "Line Allowed Charge Amount"}
	deductible      = concept{adjudication, cmsVariable + "line_bene_ptb_ddctbl_amt", "Line Beneficiary Part B Deductible Amount"}
	processing      = concept{adjudication, cmsVariable + "line_prcsg_ind_cd", "Line Processing Indicator Code"}
)
