package synth

// vaccine is given at ages in months, one dose at each.
type vaccine struct {
	what concept
	ages []int
}

// vaccineKinds is how many vaccines there are beside influenza's.
const vaccineKinds = 17

var vaccines = [vaccineKinds]vaccine{
	{what: concept{cvx, "08", "Hep B, adolescent or pediatric"}, ages: []int{0, 2, 6}},
	{what: concept{cvx, "119", "rotavirus, monovalent"}, ages: []int{2, 4}},
	{what: concept{cvx, "20", "DTaP"}, ages: []int{2, 4, 6, 15, 48}},
	{what: concept{cvx, "49", "Hib (PRP-OMP)"}, ages: []int{2, 4, 12}},
	{what: concept{cvx, "133", "Pneumococcal conjugate PCV 13"}, ages: []int{2, 4, 6, 12, 780}},
	{what: concept{cvx, "10", "IPV"}, ages: []int{2, 4, 6, 48}},
	{what: concept{cvx, "03", "MMR"}, ages: []int{12, 48}},
	{what: concept{cvx, "21", "varicella"}, ages: []int{12, 48}},
	{what: concept{cvx, "83", "Hep A, ped/adol, 2 dose"}, ages: []int{12, 18}},
	{what: concept{cvx, "62", "HPV, quadrivalent"}, ages: []int{132, 144, 156}},
	{what: concept{cvx, "114", "meningococcal MCV4P"}, ages: []int{132, 192}},
	{what: concept{cvx, "115", "Tdap"}, ages: []int{132}},
	{what: concept{cvx, "43", "Hep B, adult"}, ages: []int{420, 421, 425}},
	{what: concept{cvx, "52", "Hep A, adult"}, ages: []int{480, 486}},
	{what: concept{cvx, "113", "Td (adult) preservative free"}, ages: []int{252, 372, 492, 612, 732, 852, 972, 1092}},
	{what: concept{cvx, "121", "zoster"}, ages: []int{720, 732}},
	{what: concept{cvx, "33", "pneumococcal polysaccharide vaccine, 23 valent"}, ages: []int{804}},
}

var influenza = concept{cvx, "140", "Influenza, seasonal, injectable, preservative free"}

// immunize gives what has fallen due, and once a year the vaccine against influenza. Doses that fell due before the
// clinic knew the patient were given elsewhere.
func (g *generator) immunize() {
	p, now := &g.p, g.v.at
	months := int((now - p.birth) / month)
	for i := range vaccines {
		v := &vaccines[i]
		for n := int(p.doses[i]); n < len(v.ages) && v.ages[n] <= months; n++ {
			p.doses[i]++
			if due := p.birth + stamp(v.ages[n])*month; due >= p.since-month || n == 0 && v.ages[n] == 0 {
				g.vaccinate(&v.what, n+1)
				break
			}
		}
	}
	if y, _, _ := now.date(); months >= 6 && y != p.fluYear && g.permille(790) {
		p.fluYear = y
		g.vaccinate(&influenza, 0)
	}
}
