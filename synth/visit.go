package synth

// visitKind is a sort of encounter.
type visitKind struct {
	what     concept
	class    *concept
	minutes  int
	price    cents
	hospital bool
}

const actCode = hl7 + "v3-ActCode"

var (
	ambulatory = concept{actCode, "AMB", "ambulatory"}
	emergent   = concept{actCode, "EMER", "emergency"}
	inpatient  = concept{actCode, "IMP", "inpatient encounter"}
	virtual    = concept{actCode, "VR", "virtual"}
	atHome     = concept{actCode, "HH", "home health"}
)

var (
	wellness      = visitKind{sct("185349003", "Encounter for check up (procedure)"), &ambulatory, 30, 12916, false}
	wellChild     = visitKind{sct("410620009", "Well child visit (procedure)"), &ambulatory, 30, 12916, false}
	symptomVisit  = visitKind{sct("185345009", "Encounter for symptom"), &ambulatory, 15, 12500, false}
	problemVisit  = visitKind{sct("185347001", "Encounter for problem (procedure)"), &ambulatory, 20, 12500, false}
	followUp      = visitKind{sct("390906007", "Follow-up encounter"), &ambulatory, 15, 10500, false}
	outpatient    = visitKind{sct("371883000", "Outpatient procedure (procedure)"), &ambulatory, 75, 15500, true}
	consultation  = visitKind{sct("698314001", "Consultation for treatment"), &ambulatory, 20, 10500, false}
	asthmaVisit   = visitKind{sct("394701000", "Asthma follow-up"), &ambulatory, 15, 10500, false}
	homeVisit     = visitKind{sct("210098006", "Domiciliary or rest home patient evaluation and management"), &atHome, 45, 14000, false}
	telehealth    = visitKind{sct("448337001", "Telemedicine consultation with patient"), &virtual, 30, 9900, false}
	emergency     = visitKind{sct("50849002", "Emergency room admission (procedure)"), &emergent, 60, 25500, true}
	urgent        = visitKind{sct("702927004", "Urgent care clinic (procedure)"), &ambulatory, 45, 14250, false}
	surgery       = visitKind{sct("305408004", "Admission to surgical department"), &inpatient, 2 * 1440, 77500, true}
	prenatalFirst = visitKind{sct("424441002", "Prenatal initial visit"), &ambulatory, 60, 12916, false}
	prenatal      = visitKind{sct("424619006", "Prenatal visit"), &ambulatory, 30, 12916, false}
	birthVisit    = visitKind{sct("183460006", "Obstetric emergency hospital admission"), &emergent, 1440, 85500, true}
	afterBirth    = visitKind{sct("169762003", "Postnatal visit"), &ambulatory, 30, 12916, false}
	heartVisit    = visitKind{sct("32485007", "Hospital admission"), &inpatient, 4 * 1440, 125000, true}
	detoxStay     = visitKind{sct("56876005", "Drug rehabilitation and detoxification"), &inpatient, 21 * 1440, 310000, true}
	certification = visitKind{sct("308646001", "Death Certification"), &ambulatory, 15, 9900, true}
)

// visit is the encounter at hand and what has to be paid for it.
type visit struct {
	kind     *visitKind
	id       id
	at, end  stamp
	site     *site
	doctor   int // of the site's staff
	lines    []line
	scripts  []prescription
	ms       int // of instants during the visit
	problems []problem
}

// line is something on the bill.
type line struct {
	sort   lineSort
	number int // within its sort, from 1
	what   *concept
	target id
	price  cents
}

type lineSort uint8

const (
	diagnosis   lineSort = iota // a Condition
	procedure                   // a Procedure
	information                 // an Immunization
	lineSorts
)

// prescription is an order of a drug, billed apart by the pharmacy.
type prescription struct {
	id   id
	drug *drug
}

// problem is a Condition recorded during the visit.
type problem struct {
	what *concept
	id   id
}

// arrive starts a visit and makes its Encounter. why may be nil.
func (g *generator) arrive(kind *visitKind, at stamp, why *concept) {
	p, v := &g.p, &g.v
	*v = visit{kind: kind, id: g.ids.next(), at: at, lines: v.lines[:0], scripts: v.scripts[:0], problems: v.problems[:0],
		site: &p.clinic, doctor: g.below(staff), ms: g.below(1000)}
	if kind.hospital {
		v.site = &p.hosp
	}
	length := stamp(kind.minutes) * minute
	v.end = min(at+length+stamp(g.below(kind.minutes/4+1))*minute, max(p.end, at+15*minute))
	p.visits = append(p.visits, v.id)

	g.beginAs("Encounter", v.id)
	g.code("status", "finished")
	g.open("class")
	g.coding(kind.class)
	g.close()
	g.concepts("type", &kind.what)
	g.subject()
	g.list("participant")
	g.item()
	g.ref("individual", "Practitioner", v.practitioner())
	g.close()
	g.done()
	g.period("period", v.at, v.end)
	if why != nil {
		g.concepts("reasonCode", why)
	}
	if kind.class == &inpatient {
		g.open("hospitalization")
		g.concept("dischargeDisposition", &sentHome)
		g.close()
	}
	if kind.hospital {
		g.list("location")
		g.item()
		g.ref("location", "Location", v.site.location)
		g.close()
		g.done()
	}
	g.ref("serviceProvider", "Organization", v.site.organization)
	g.end()
}

var sentHome = concept{"http://www.nubc.org/patient-discharge", "01", "Discharged to home care or self care (routine discharge)"}

// leave ends the visit: the pharmacy and the site send their bills, and the payer explains what it pays.
func (g *generator) leave() {
	for i := range g.v.scripts {
		g.pharmacyClaim(&g.v.scripts[i])
	}
	g.explain(g.claim())
}

func (v *visit) practitioner() id { return v.site.practitioner[v.doctor] }

// bill puts something on the bill.
func (v *visit) bill(sort lineSort, what *concept, target id, price cents) {
	n := 1
	for i := range v.lines {
		if v.lines[i].sort == sort {
			n++
		}
	}
	v.lines = append(v.lines, line{sort, n, what, target, price})
}

// subject appends who the resource is about.
func (g *generator) subject() { g.ref("subject", "Patient", g.p.id) }

// context appends who it is about and during which visit.
func (g *generator) context() {
	g.subject()
	g.ref("encounter", "Encounter", g.v.id)
}
