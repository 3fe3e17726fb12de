package validate

import (
	"tarn/fhir"
	"tarn/fhir/invariant"
)

// elsewhere are the invariants that no rule stands for, with the reason.
var elsewhere = map[string]string{
	"dom-2": "held in resource.go",
	"dom-3": "held in resource.go",
	"dom-4": "held in resource.go",
	"dom-5": "held in resource.go",
	"dom-6": "not checked: that a resource should have a narrative is advice, and data seldom follows it",
	"ref-1": "held in reference.go",
	"ext-1": "held in walk.go",
	"ele-1": "held in walk.go",
	"txt-1": "held in xhtml.go",
	"txt-2": "held in xhtml.go",
	"ctm-1": "not checked: it follows a reference out of the document",
}

// natives are invariants that stand in so much data that they are worth code of their own.
var natives = map[string]func(v *Validator, at spot) bool{
	"per-1": inPeriodOrder,
}

// inPeriodOrder is per-1: start is not after end, as far as their precisions tell.
func inPeriodOrder(v *Validator, at spot) bool {
	var start, end fhir.Node
	for c := at.node.First(); c.Exists(); c = c.Next() {
		switch string(v.keyOf(c)) {
		case "start":
			start = c
		case "end":
			end = c
		}
	}
	if start.Kind() != fhir.String || end.Kind() != fhir.String {
		return true
	}
	if a, b := start.Text(), end.Text(); len(a) == len(b) && len(a) >= 10 && string(a[:10]) < string(b[:10]) {
		return sameZone(a, b) || orderOf(a, b) <= 0
	}
	return orderOf(start.Text(), end.Text()) <= 0
}

// sameZone reports whether two dateTimes of one length end alike, so that they compare as text.
func sameZone(a, b []byte) bool {
	return len(a) == 10 || len(a) > 20 && string(a[len(a)-6:]) == string(b[len(b)-6:]) || a[len(a)-1] == 'Z' && b[len(b)-1] == 'Z'
}

func orderOf(a, b []byte) int {
	sign, known := invariant.OrderDates(a, b)
	if !known {
		return 0
	}
	return sign
}
