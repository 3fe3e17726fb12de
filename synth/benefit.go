package synth

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
	g.grounds("diagnosis", diagnosis, &principal)
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
	if l.sort == diagnosis {
		g.rests("diagnosisSequence", l)
	}
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
