package rest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"tarn/api/edge"
)

// RoutesForTest is the table of routes as text.
func RoutesForTest() string {
	var b strings.Builder
	for _, r := range routes() {
		fmt.Fprintf(&b, "%-7s %-28s %s\n", r.method, r.pattern, r.iamAction)
	}
	return b.String()
}

// RoutesWithoutOffer are the routes that the CapabilityStatement does not know.
func RoutesWithoutOffer() (unknown []string) {
	for _, r := range routes() {
		if _, _, ok := offerOf(r.method, r.pattern); !ok {
			unknown = append(unknown, r.method+" "+r.pattern)
		}
	}
	return unknown
}

// StatementForTest is the CapabilityStatement of a table of these routes, "METHOD pattern", beside another face.
func StatementForTest(beside edge.Offer, patterns []string) []byte {
	var table []route
	for _, p := range patterns {
		method, pattern, _ := strings.Cut(p, " ")
		table = append(table, route{method: method, pattern: pattern})
	}
	body, err := json.Marshal(New(Options{Beside: beside}).buildStatement(offeredBy(table)))
	if err != nil {
		panic(err)
	}
	return body
}

// ParsePeriodForTest is parsePeriod.
var ParsePeriodForTest = parsePeriod

// ErasureForTest answers GET Erasure/{id} with another service behind it.
func ErasureForTest(w http.ResponseWriter, r *http.Request, from Erasures) error {
	return New(Options{Erasures: from}).erasure(&request{Request: r, w: w})
}
