package index_test

import "testing"

func TestNumber(t *testing.T) {
	t.Parallel()
	number := func(n string) string {
		return `{"resourceType":"RiskAssessment","prediction":[{"probabilityDecimal":` + n + `}]}`
	}
	check(t, number("100"),
		[]string{"probability=100", "probability=1e2", "probability=100.0", "probability=gt99.9", "probability=ge100", "probability=le100", "probability=lt100.0001",
			"probability=sa99", "probability=eb101", "probability=ap109", "probability=ap91", "probability=ne101", "probability=ne100.1"},
		[]string{"probability=101", "probability=100.1", "probability=gt100", "probability=lt100", "probability=ge100.00001", "probability=le99.99", "probability=sa100",
			"probability=eb100", "probability=ap112", "probability=ne100", "probability=ne1e2"})
	check(t, number("99.5"), []string{"probability=100", "probability=99.5", "probability=1e2"}, []string{"probability=99", "probability=gt99.5"})
	check(t, number("100.5"), []string{"probability=101", "probability=ne100"}, []string{"probability=100"})
	check(t, number("95"), []string{"probability=1e2"}, nil)
	check(t, number("105"), []string{"probability=105"}, []string{"probability=1e2"})
	check(t, number("-3.2"), []string{"probability=-3.2", "probability=-3", "probability=lt0", "probability=gt-4", "probability=le-3.2", "probability=ap-3.4"},
		[]string{"probability=3.2", "probability=-3.3", "probability=gt-3.2", "probability=lt-3.2", "probability=gt0", "probability=-4"})
	check(t, number("0"), []string{"probability=0", "probability=0.00", "probability=-0", "probability=lt0.0001", "probability=gt-1e-30", "probability=ap0"}, []string{"probability=1", "probability=gt0", "probability=lt0"})
	check(t, number("1.00000000000000000000000000000001"), []string{"probability=gt1", "probability=1", "probability=gt1.00000000000000000000000000000000999"}, []string{"probability=le1"})
	check(t, number("1e-100"), []string{"probability=gt0", "probability=lt1e-99", "probability=1e-100"}, []string{"probability=gt1e-99", "probability=lt1e-101"})
	check(t, number("1E+100"), []string{"probability=gt1e99", "probability=1e100"}, []string{"probability=lt1e99"})
	check(t, `{"resourceType":"RiskAssessment","prediction":[{"probabilityRange":{"low":{"value":10},"high":{"value":20}}}]}`,
		[]string{"probability=gt15", "probability=lt15", "probability=ge20", "probability=ap15", "probability=sa9", "probability=eb21", "probability=ne15", "probability=2e1,1.5e1,15"}[:7],
		[]string{"probability=15", "probability=gt20", "probability=lt10", "probability=sa10", "probability=eb20", "probability=ap30"})
	refused(t, "RiskAssessment", "probability=", "probability=x", "probability=1.", "probability=.5", "probability=1e", "probability=1e99999", "probability=gt", "probability=0x10",
		"probability=1,5,", "probability:exact=1", "probability=--1", "probability=NaN", "probability=1e++1")
}

func TestQuantity(t *testing.T) {
	t.Parallel()
	quantity := func(q string) string {
		return `{"resourceType":"Observation","status":"final","code":{"coding":[{"system":"http://loinc.org","code":"1"}]},"valueQuantity":` + q + `}`
	}
	const u = "|http://unitsofmeasure.org|"
	check(t, quantity(`{"value":5.4,"unit":"milligram","system":"http://unitsofmeasure.org","code":"mg"}`),
		[]string{"value-quantity=5.4", "value-quantity=5.4" + u + "mg", "value-quantity=5.4||mg", "value-quantity=5.4||milligram", "value-quantity=0.0054" + u + "g",
			"value-quantity=5400" + u + "ug", "value-quantity=gt5" + u + "mg", "value-quantity=gt0.005" + u + "g", "value-quantity=lt6000" + u + "ug", "value-quantity=ne5.5" + u + "mg",
			"value-quantity=le5.4e-6" + u + "kg", "value-quantity=ge0.0054" + u + "g", "value-quantity=ap0.0055" + u + "g", "value-quantity=5.4" + u, "value-quantity=5.4||",
			"combo-value-quantity=5.4" + u + "mg", "code-value-quantity=http://loinc.org|1$5.4" + u + "mg", "code-value-quantity=1$gt5", "code-value-quantity=1$0.0054" + u + "g",
			"combo-code-value-quantity=1$5.4", "value-quantity=sa0.0053" + u + "g", "value-quantity=eb0.0055" + u + "g", "value-quantity=ne0.0055" + u + "g", "value-quantity=ne5" + u + "ug"},
		[]string{"value-quantity=5.5", "value-quantity=5.4" + u + "g", "value-quantity=5.4||g", "value-quantity=5.4|http://other|mg", "value-quantity=0.0055" + u + "g",
			"value-quantity=gt0.0054" + u + "g", "value-quantity=5.4" + u + "mL", "value-quantity=5.4" + u + "unknown", "value-quantity=lt0.0054" + u + "g", "value-quantity=ne5.4" + u + "mg",
			"value-quantity=ne0.0054" + u + "g", "code-value-quantity=2$5.4", "code-value-quantity=http://loinc.org|1$5.5", "code-value-quantity=1$lt5" + u + "mg", "component-value-quantity=5.4"})
	check(t, quantity(`{"value":98.6,"system":"http://unitsofmeasure.org","code":"[degF]"}`),
		[]string{"value-quantity=37.0" + u + "Cel", "value-quantity=gt36.9" + u + "Cel", "value-quantity=ge37" + u + "Cel", "value-quantity=310.15" + u + "K"}, []string{"value-quantity=gt37" + u + "Cel", "value-quantity=38" + u + "Cel"})
	check(t, quantity(`{"value":90,"system":"http://unitsofmeasure.org","code":"/min"}`), []string{"value-quantity=1.5" + u + "Hz", "value-quantity=le1.5" + u + "Hz"}, []string{"value-quantity=lt1.5" + u + "Hz"})
	check(t, quantity(`{"value":5,"comparator":"<","unit":"mg"}`),
		[]string{"value-quantity=lt5", "value-quantity=gt4", "value-quantity=le4", "value-quantity=ne5", "value-quantity=eb5"}, []string{"value-quantity=5", "value-quantity=ge5", "value-quantity=gt5", "value-quantity=sa1"})
	check(t, quantity(`{"value":-5,"comparator":">","system":"http://unitsofmeasure.org","code":"g"}`),
		[]string{"value-quantity=gt-5", "value-quantity=sa-5", "value-quantity=sa-5000" + u + "mg"}, []string{"value-quantity=lt-5", "value-quantity=le-5", "value-quantity=le-5000" + u + "mg"})
	check(t, quantity(`{"unit":"mg"}`), []string{"value-quantity:missing=false", "code-value-quantity:missing=true"}[:1], []string{"value-quantity=ne1", "value-quantity=gt-1e9"})
	check(t, `{"resourceType":"Invoice","totalNet":{"value":30.5,"currency":"EUR"}}`,
		[]string{"totalnet=30.5|urn:iso:std:iso:4217|EUR", "totalnet=30.5||EUR", "totalnet=gt30"}, []string{"totalnet=30.5||USD"})
	check(t, `{"resourceType":"Observation","valueSampledData":{"origin":{"value":100,"unit":"mV"},"factor":2,"data":"1 E -3 U 2.5"}}`,
		[]string{"value-quantity=gt104", "value-quantity=ge105", "value-quantity=lt95", "value-quantity=sa93||mV"}, []string{"value-quantity=gt105", "value-quantity=sa94"})
	check(t, `{"resourceType":"Condition","onsetRange":{"low":{"value":10,"system":"http://unitsofmeasure.org","code":"a"}}}`,
		[]string{"onset-age=gt1000", "onset-age=sa9" + u + "a", "onset-age=gt520" + u + "wk"}, []string{"onset-age=lt10", "onset-age=lt3652" + u + "d"})
	refused(t, "Observation", "value-quantity=", "value-quantity=x", "value-quantity=5|mg", "value-quantity=5|a|b|c", "value-quantity=|a|b", "value-quantity=zz5", "value-quantity:not=5",
		"code-value-quantity=1", "code-value-quantity=1$2$3", "code-value-quantity=$2", "code-value-quantity=1$x", "code-value-quantity:not=1$2", "code-value-quantity:missing=true")
}
