package synth

// care makes a care plan for a problem, with the goals it has and the team that carries it. It ends after some days, or
// goes on if days is 0 or history ends first.
func (g *generator) care(c *plan, days int, why *problem) {
	p, v := &g.p, &g.v
	over := stamp(0)
	if days > 0 && v.at+stamp(days)*day < p.end {
		over = v.at + stamp(days)*day
	}
	var goals [8]id
	for i, words := range c.goals {
		goals[i] = g.goal(words, why)
	}
	team := g.team(c, over, why)

	g.begin("CarePlan")
	g.narrative()
	g.escaped("Care plan for ")
	g.escaped(c.what.display)
	g.escaped(".<br/>Activities: <ul>")
	for i := range c.activities {
		g.escaped("<li>")
		g.escaped(c.activities[i].display)
		g.escaped("</li>")
	}
	g.escaped("</ul><br/>It is meant to treat ")
	g.escaped(why.what.display)
	g.escaped(".")
	g.endNarrative()
	status, doing := "active", "in-progress"
	if over != 0 {
		status, doing = "completed", "completed"
	}
	g.code("status", status)
	g.code("intent", "order")
	g.concepts("category", &c.what)
	g.context()
	g.period("period", v.at, over)
	g.refs("careTeam", "CareTeam", team)
	g.refs("addresses", "Condition", why.id)
	g.refs("goal", "Goal", goals[:len(c.goals)]...)
	g.list("activity")
	for i := range c.activities {
		g.item()
		g.open("detail")
		g.concept("code", &c.activities[i])
		g.code("status", doing)
		g.close()
		g.close()
	}
	g.done()
	g.end()
}

func (g *generator) goal(words string, why *problem) id {
	at := g.begin("Goal")
	if g.below(3) == 0 {
		g.code("lifecycleStatus", "active")
	} else {
		g.code("lifecycleStatus", "accepted")
	}
	g.bare("achievementStatus", hl7+"goal-achievement", "in-progress")
	g.open("description")
	g.text("text", words)
	g.close()
	g.subject()
	g.date("startDate", g.v.at)
	g.refs("addresses", "Condition", why.id)
	g.end()
	return at
}

func (g *generator) team(c *plan, over stamp, why *problem) id {
	p, v := &g.p, &g.v
	at := g.begin("CareTeam")
	if over != 0 {
		g.code("status", "inactive")
	} else {
		g.code("status", "active")
	}
	g.text("name", c.what.display)
	g.context()
	g.period("period", v.at, over)
	g.list("participant")
	g.item()
	g.concepts("role", &patientRole)
	g.ref("member", "Patient", p.id)
	g.close()
	g.item()
	g.concepts("role", &professionalRole)
	g.ref("member", "Practitioner", v.practitioner())
	g.close()
	g.item()
	g.concepts("role", &providerRole)
	g.named("member", "Organization", v.site.organization, v.site.name)
	g.close()
	g.done()
	g.refs("reasonReference", "Condition", why.id)
	g.refs("managingOrganization", "Organization", v.site.organization)
	g.end()
	return at
}

var (
	patientRole      = sct("116154003", "Patient")
	professionalRole = sct("223366009", "Healthcare professional (occupation)")
	providerRole     = sct("224891009", "Healthcare services (qualifier value)")
)

// provenance says who put the record of the patient together, when, and from which visits.
func (g *generator) provenance() {
	p := &g.p
	g.begin("Provenance")
	g.list("target")
	g.item()
	g.pointer("Patient", p.id)
	g.close()
	for _, v := range p.visits {
		g.item()
		g.pointer("Encounter", v)
		g.close()
	}
	g.done()
	g.instant("recorded", p.end, int(p.key%1000))
	g.list("agent")
	g.provenanceAgent(&authorRole)
	g.provenanceAgent(&transmitterRole)
	g.done()
	g.end()
}

func (g *generator) provenanceAgent(role *concept) {
	g.item()
	g.concept("type", role)
	g.ref("who", "Practitioner", g.p.clinic.practitioner[0])
	g.ref("onBehalfOf", "Organization", g.p.clinic.organization)
	g.close()
}

var (
	authorRole      = concept{hl7 + "provenance-participant-type", "author", "Author"}
	transmitterRole = concept{"http://hl7.org/fhir/us/core/CodeSystem/us-core-provenance-participant-type", "transmitter", "Transmitter"}
)
