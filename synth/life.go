package synth

import (
	"cmp"
	"slices"
)

// event is something in a life that leads to a visit. Events are planned first and then lived in the order of time.
type event struct {
	when stamp
	sort eventSort
	n    int // of which chronic, ailment, ...
}

type eventSort uint8

const (
	checkup eventSort = iota
	discovery
	review // of a lasting condition
	mishap
	aftercare // of a mishap
	booking   // the first visit of a pregnancy
	antenatal
	delivery
	postnatal
	heartAttack
	detox
	deathbed
)

// patient makes person n and all that is recorded about them.
func (g *generator) patient(n int) {
	g.decide(n)
	g.renderPatient()
	g.plan()
	for i := range g.life {
		if g.stopped {
			return
		}
		g.lives(&g.life[i])
	}
	if len(g.p.visits) > 0 {
		g.provenance()
	}
}

// plan lays out the events of the life at hand. All but the deathbed end before life, and history, do: a stay takes at
// most four weeks.
func (g *generator) plan() {
	p := &g.p
	g.life = g.life[:0]
	g.planCheckups()
	for c := range chronics {
		if p.onset[c] != 0 {
			g.happens(p.onset[c], discovery, int(c))
			g.planReviews(c)
		}
	}
	g.planMishaps()
	if p.woman {
		g.planPregnancies()
	}
	if when := p.onset[heartDisease] + stamp(g.between(1, 90))*month/6; p.has(heartDisease, p.end) && g.permille(450) {
		g.happens(when, heartAttack, 0)
	}
	if age := p.end.years(p.birth); age > 20 && g.permille(22) {
		g.happens(p.since+stamp(g.below(int((p.end-p.since)/day)+1))*day, detox, 0)
	}
	if p.death != 0 {
		g.life = append(g.life, event{p.death, deathbed, 0})
	}
	slices.SortStableFunc(g.life, func(a, b event) int { return cmp.Compare(a.when, b.when) })
}

// happens plans an event at some hour of a working day, unless life is too short for it.
func (g *generator) happens(when stamp, sort eventSort, n int) {
	when = when.midnight() + 8*hour + stamp(g.below(9*3600))
	if when >= g.p.birth && when < g.p.end-28*day {
		g.life = append(g.life, event{when, sort, n})
	}
}

// childVisits are the ages, in months, at which a young child is seen.
var childVisits = []int{0, 2, 4, 6, 9, 12, 15, 18, 24, 30}

func (g *generator) planCheckups() {
	p := &g.p
	for _, m := range childVisits {
		if when := p.birth + stamp(m)*month + 2*day; when >= p.since {
			g.happens(when, checkup, 0)
		}
	}
	when := p.birth + 3*year
	for when < p.end {
		if when >= p.since {
			g.happens(when+stamp(g.below(20))*day, checkup, 0)
		}
		switch age := when.years(p.birth); {
		case age >= 19 && age < 40:
			when += year + stamp(g.between(0, 12))*month
		default:
			when += year
		}
	}
}

func (g *generator) planReviews(c chronic) {
	p, l := &g.p, &ills[c]
	if l.months == 0 {
		return
	}
	when := p.onset[c]
	for n := 0; l.rounds == 0 || n < l.rounds; n++ {
		when += stamp(l.months)*month + stamp(g.below(10))*day
		if when >= p.end {
			return
		}
		if l.rounds != 0 || when >= p.since {
			g.happens(when, review, int(c))
		}
	}
}

func (g *generator) planMishaps() {
	p := &g.p
	for when := p.since; ; {
		span := 1200 // days between two, at most
		if when.years(p.birth) < 12 {
			span = 900
		}
		when += stamp(g.between(5, span)) * day
		if when >= p.end {
			return
		}
		age := when.years(p.birth)
		for range 4 { // look for something that befalls this age
			if n := g.mishapAt(g.below(mishapWeight)); age >= ailments[n].from && age <= ailments[n].to {
				g.happens(when, mishap, n)
				if g.permille(650) {
					g.happens(when+stamp(g.between(7, 45))*day, aftercare, n)
				}
				break
			}
		}
	}
}

// mishapWeight is the sum of the weights of all ailments.
var mishapWeight = func() (sum int) {
	for i := range ailments {
		sum += ailments[i].weight
	}
	return sum
}()

func (g *generator) mishapAt(weight int) int {
	for i := range ailments {
		if weight -= ailments[i].weight; weight < 0 {
			return i
		}
	}
	return 0
}

func (g *generator) planPregnancies() {
	p := &g.p
	when := max(p.since-6*year, p.birth+18*year) + stamp(g.between(0, 60))*month
	for last := min(p.end, p.birth+43*year); when < last; when += stamp(g.between(20, 160)) * month {
		if !g.permille(700) {
			continue
		}
		g.happens(when, booking, 0)
		for m := 1; m <= 7; m++ {
			g.happens(when+stamp(m)*month, antenatal, m)
		}
		g.happens(when+230*day, delivery, 0)
		g.happens(when+272*day, postnatal, 0)
	}
}

// lives is what comes of an event.
func (g *generator) lives(e *event) {
	switch e.sort {
	case checkup:
		g.checkup(e.when)
	case discovery:
		g.discover(chronic(e.n), e.when)
	case review:
		g.review(chronic(e.n), e.when)
	case mishap:
		g.mishap(&ailments[e.n], e.when)
	case aftercare:
		g.arrive(&consultation, e.when, &ailments[e.n].what)
		g.leave()
	case booking:
		g.booking(e.when)
	case antenatal:
		g.antenatal(e.n, e.when)
	case delivery:
		g.delivery(e.when)
	case postnatal:
		g.postnatal(e.when)
	case heartAttack:
		g.heartAttack(e.when)
	case detox:
		g.detox(e.when)
	case deathbed:
		g.deathbed(e.when)
	}
}
