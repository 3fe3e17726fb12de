package search_test

import (
	"fmt"
	"maps"
	"math/big"
	"slices"
	"strings"
)

// kinds of units of which documents are made; those that have few units are asked for like others.
var measuredKinds = []string{"mass", "length", "volume", "temperature", "pressure", "mass per volume", "amount per volume", "count per volume", "IU per volume",
	"frequency", "ratio", "volume per time", "energy", "time", "equivalents per volume"}

// quantity is a Quantity in a unit of the kind, of about the same size whatever the unit, so that conversions meet.
func (m *maker) quantity(kind string, compared bool) string {
	code := m.one(unitsByKind[kind]...)
	u := unitFacts[code]
	at := big.NewRat(int64(1+m.rng.IntN(12)), 4) // of the first unit of the kind
	if kind == "temperature" {
		at.Add(big.NewRat(303, 1), at)
	}
	at.Sub(at, u.offset).Quo(at, u.factor)
	if n, exact := at.FloatPrec(); !exact || n > 20 {
		at = ratOf(at.FloatString(4))
	}
	n, _ := at.FloatPrec()
	comparator := ""
	if compared && m.flip(25) {
		comparator = fmt.Sprintf(`"comparator":%q,`, m.one("<", "<=", ">", ">="))
	}
	return fmt.Sprintf(`{"value":%s,%s"unit":%q,"system":%q,"code":%q}`, at.FloatString(n), comparator, m.one(code, "a "+kind), ucum, code)
}

// measured are observations of quantities and samples, risks, ages and prices.
func (m *maker) measured() {
	m.add(150, "Observation", func(i int) string {
		kind := measuredKinds[i%len(measuredKinds)]
		value := `"valueQuantity":` + m.quantity(kind, true)
		switch {
		case i%10 == 3:
			value = fmt.Sprintf(`"valueSampledData":{"origin":%s,"period":1,"dimensions":1,"factor":%s,"data":"1 E 4 %d U -2"}`, m.quantity(kind, false), m.one("0.5", "1", "-2"), m.rng.IntN(9))
		case i%10 == 5:
			value = m.time("value", "")
			if strings.Contains(value, "Timing") {
				value = `"valueDateTime":"2021-07"`
			}
		case i%10 == 7:
			value = fmt.Sprintf(`"valueQuantity":{"value":%d,"system":"%sunits","code":"drops"}`, m.rng.IntN(9), invented)
		}
		return fmt.Sprintf(`"meta":{"profile":["%sprofiles/%s"]},"status":%q,"code":{"coding":[%s],"text":%q},"subject":%s,%s,%s,"component":[{"code":{"coding":[%s]},"valueQuantity":%s}]`, invented, m.one("vital", "vital|1.0", "vital/sign|2"), m.one("final", "amended"), m.code(), m.one("Something seen", "some thing"),
			m.reference("Patient", i%40), m.time("effective", "Instant"), value, m.code(), m.quantity(kind, true))
	})
	m.add(40, "RiskAssessment", func(i int) string {
		var all []string
		for range 1 + m.rng.IntN(2) {
			p := fmt.Sprintf(`"probabilityDecimal":%s`, m.one("0.1", "0.25", "5e-1", "0.10", "1e-2", "0", "0.333"))
			if m.flip(40) {
				p = `"probabilityRange":{"low":{"value":0.` + fmt.Sprint(m.rng.IntN(5)) + `},"high":{"value":0.` + fmt.Sprint(5+m.rng.IntN(5)) + `}}`
			}
			all = append(all, "{"+p+"}")
		}
		return `"status":"final","subject":` + m.reference("Patient", i) + `,"prediction":[` + strings.Join(all, ",") + `]`
	})
	m.add(40, "Condition", func(i int) string {
		onset := `"onsetAge":` + m.quantity("time", true)
		if i%3 == 0 {
			unit := m.one("a", "mo")
			onset = fmt.Sprintf(`"onsetRange":{"low":{"value":%d,"system":%q,"code":%q},"high":{"value":%d,"system":%q,"code":%q}}`, 1+m.rng.IntN(20), ucum, unit, 21+m.rng.IntN(20), ucum, unit)
		}
		return fmt.Sprintf(`"subject":%s,"code":{"coding":[%s]},%s`, m.reference("Patient", i), m.code(), onset)
	})
	m.add(25, "ChargeItem", func(i int) string {
		return fmt.Sprintf(`"status":"billable","code":{"text":"x"},"subject":%s,"factorOverride":%s,"priceOverride":{"value":%d.%d0,"currency":%q},"quantity":%s`, m.reference("Patient", i),
			m.one("1.5", "2", "-0.5", "1000", "2.00"), m.rng.IntN(20), m.rng.IntN(10), m.one("EUR", "USD"), m.quantity("volume", false))
	})
	m.add(20, "MolecularSequence", func(i int) string {
		return fmt.Sprintf(`"coordinateSystem":%d,"referenceSeq":{"chromosome":{"coding":[%s]},"windowStart":%d,"windowEnd":%d},"variant":[{"start":%d,"end":%d},{"start":7,"end":9}]`,
			i%2, m.code(), i*10, i*10+m.rng.IntN(50), m.rng.IntN(100), 100+m.rng.IntN(100))
	})
}

// time is a choice of times: more is another type that it may have.
func (m *maker) time(name, more string) string {
	day := func() string {
		return fmt.Sprintf("%d-%02d-%02d", 2019+m.rng.IntN(9), 1+m.rng.IntN(12), 1+m.rng.IntN(28))
	}
	clock := func() string {
		return day() + fmt.Sprintf("T%02d:%02d:%02d%s%s", m.rng.IntN(24), m.rng.IntN(60), m.rng.IntN(60), m.one("", ".5", ".125"), m.one("Z", "+02:00", "-05:30"))
	}
	period := func() string {
		from := fmt.Sprintf("%d-%02d", 2018+m.rng.IntN(4), 1+m.rng.IntN(12))
		to := fmt.Sprintf("%d-%02d-10", 2022+m.rng.IntN(6), 1+m.rng.IntN(12))
		return m.one(fmt.Sprintf(`{"start":%q,"end":%q}`, from, to), fmt.Sprintf(`{"start":%q}`, from), fmt.Sprintf(`{"end":%q}`, to))
	}
	switch m.rng.IntN(8) {
	case 0, 1:
		return fmt.Sprintf(`"%sDateTime":%q`, name, m.one(day(), clock(), day()[:7], day()[:4]))
	case 2:
		return fmt.Sprintf(`"%sPeriod":%s`, name, period())
	case 3:
		if more == "Instant" {
			return fmt.Sprintf(`"%sInstant":%q`, name, clock())
		}
	case 4:
		return fmt.Sprintf(`"%sTiming":{"repeat":{"boundsPeriod":%s,"frequency":1,"period":1,"periodUnit":"d"}}`, name, period())
	case 5:
		return fmt.Sprintf(`"%sTiming":{"event":[%q,%q],"repeat":{"boundsPeriod":%s}}`, name, day(), clock(), period())
	case 6:
		return fmt.Sprintf(`"%sTiming":{"repeat":{"frequency":2,"period":1,"periodUnit":"d"},"code":{"text":"BID"}}`, name)
	}
	return fmt.Sprintf(`"%sTiming":{"event":[%q,%q,%q]}`, name, clock(), day(), day()[:7])
}

// timed are requests and plans.
func (m *maker) timed() {
	m.add(60, "ServiceRequest", func(i int) string {
		return fmt.Sprintf(`"status":"active","intent":"order","subject":%s,"requester":%s,"code":{"coding":[%s]},%s`, m.reference("Patient", i%40), m.reference("Practitioner", i%10), m.code(), m.time("occurrence", ""))
	})
	m.add(30, "CarePlan", func(i int) string {
		scheduled := m.time("scheduled", "")
		if strings.Contains(scheduled, "DateTime") {
			scheduled = `"scheduledString":"daily"`
		}
		return fmt.Sprintf(`"status":"active","intent":"plan","subject":%s,"activity":[{"detail":{"status":"scheduled",%s}},{"detail":{"status":"scheduled","scheduledPeriod":{"start":"2021-0%d-01"}}}]`,
			m.reference("Patient", i), scheduled, 1+i%9)
	})
}

// code is a Coding of the invented code system, or of another one.
func (m *maker) code() string {
	if m.flip(20) {
		return fmt.Sprintf(`{"system":"%sother","code":%q,"display":"Other %d"}`, invented, m.one("dog", "Zebra"), m.rng.IntN(3))
	}
	return fmt.Sprintf(`{"system":"%sanimals","code":%q,"display":"an animal"}`, invented, m.one("animal", "mammal", "dog", "cat", "Poodle", "bird", "eagle", "stone"))
}

// terms are a code system with a hierarchy, and value sets in each form that a search understands.
func (m *maker) terms() {
	animals := invented + "animals"
	m.out = append(m.out, `{"resourceType":"CodeSystem","id":"animals","status":"active","content":"complete","url":"`+animals+`","concept":[{"code":"animal","concept":[`+
		`{"code":"mammal","concept":[{"code":"dog","concept":[{"code":"Poodle"}]},{"code":"cat"}]},{"code":"bird","concept":[{"code":"eagle"}]}]},{"code":"stone"}]}`)
	filter := func(op, value string) string {
		return fmt.Sprintf(`{"include":[{"system":%q,"filter":[{"property":"concept","op":%q,"value":%q}]}]}`, animals, op, value)
	}
	forms := map[string]string{
		"codes":         fmt.Sprintf(`{"include":[{"system":%q,"concept":[{"code":"dog"},{"code":"stone"}]},{"system":"%sother","concept":[{"code":"dog"}]}]}`, animals, invented),
		"system":        fmt.Sprintf(`{"include":[{"system":%q}]}`, animals),
		"is-a":          filter("is-a", "mammal"),
		"descendent-of": filter("descendent-of", "animal"),
		"is-not-a":      filter("is-not-a", "mammal"),
		"equals":        filter("=", "bird"),
		"nested":        fmt.Sprintf(`{"include":[{"valueSet":["%[1]svs/is-a","%[1]svs/codes"]},{"valueSet":["%[1]svs/equals"]}]}`, invented),
		"excluding":     fmt.Sprintf(`{"include":[{"system":%q}],"exclude":[{"system":%q,"concept":[{"code":"stone"}]},{"valueSet":["%svs/is-a"]}]}`, animals, animals, invented),
	}
	for _, name := range slices.Sorted(maps.Keys(forms)) {
		m.out = append(m.out, fmt.Sprintf(`{"resourceType":"ValueSet","id":%q,"status":"active","name":%q,"url":"%svs/%s","compose":%s}`, name, name, invented, name, forms[name]))
	}
	m.out = append(m.out, fmt.Sprintf(`{"resourceType":"ValueSet","id":"expansion","status":"active","url":"%svs/expansion","expansion":{"timestamp":"2020-01-01","contains":[{"system":%q,"code":"animal","abstract":true,"contains":[{"system":%q,"code":"eagle"}]},{"system":"%sother","code":"zebra"}]}}`,
		invented, animals, animals, invented))
}
