package rest

import (
	"slices"
	"strings"

	"tarn/api/edge"
	"tarn/fhir/r4"
)

// offered is what a table of routes offers, in the words of a CapabilityStatement.
type offered struct {
	types       []string // interactions of every type
	system      []string // interactions of the whole system
	conditional map[string]bool
	compartment bool
	operations  []offeredOperation
}

type offeredOperation struct {
	operation
	on string // a resource type, "{type}" for each, "" for the system
}

// offers says what the route of a method and a shape offers. A shape is the pattern of the route with {type} for a
// resource type. An interaction that begins with "system:" is the system's, one with "if:" a conditional one.
var offers = map[string][]string{
	"POST {type}":                     {"create"},
	"GET {type}/{id}":                 {"read"},
	"GET {type}/{id}/_history/{vid}":  {"vread"},
	"PUT {type}/{id}":                 {"update"},
	"PATCH {type}/{id}":               {"patch"},
	"DELETE {type}/{id}":              {"delete"},
	"GET {type}/{id}/_history":        {"history-instance"},
	"GET {type}/_history":             {"history-type"},
	"GET _history":                    {"system:history-system"},
	"GET {type}":                      {"search-type"},
	"POST {type}/_search":             {"search-type"},
	"GET ":                            {"system:search-system"},
	"POST _search":                    {"system:search-system"},
	"POST ":                           {"system:transaction", "system:batch"},
	"PUT {type}":                      {"if:update", "if:create"}, // If-None-Exist asks the same search
	"DELETE {type}":                   {"if:delete"},
	"PATCH {type}":                    {"if:patch"},
	"GET {type}/{id}/{type}":          {"compartment"},
	"GET {type}/{id}/*":               {"compartment"},
	"POST {type}/{id}/{type}/_search": {"compartment"},
	"GET metadata":                    {}, // the statement itself
	"POST profiles":                   {}, // packages of profiles are ours, not FHIR's
	"GET profiles":                    {},
	"DELETE profiles/{name}":          {},
	"DELETE profiles/{name}/{vid}":    {},
	"GET Transaction/{id}":            {}, // the answer to a transaction with respond-async
	"POST {type}/{id}/$erase":         {}, // ours, not FHIR's
	"GET Erasure/{id}":                {},
}

// operation is what a CapabilityStatement says of an operation.
type operation struct {
	Name       string `json:"name"`
	Definition string `json:"definition"`
}

// operations are those of a $name; the definition depends on what it is of.
var operations = map[string]func(on string) operation{
	"$validate": func(string) operation {
		return operation{"validate", "http://hl7.org/fhir/OperationDefinition/Resource-validate"}
	},
	"$everything": func(on string) operation {
		return operation{"everything", "http://hl7.org/fhir/OperationDefinition/" + on + "-everything"}
	},
}

// interactionOrder is the order in which a statement names them.
var interactionOrder = []string{"read", "vread", "update", "patch", "delete", "history-instance", "history-type", "create",
	"search-type", "transaction", "batch", "search-system", "history-system"}

func offeredBy(routes []route) offered {
	o := offered{conditional: map[string]bool{}}
	for _, rt := range routes {
		words, op, _ := offerOf(rt.method, rt.pattern)
		if op != nil && !slices.Contains(o.operations, *op) {
			o.operations = append(o.operations, *op)
		}
		for _, word := range words {
			if name, ok := strings.CutPrefix(word, "system:"); ok {
				o.system = append(o.system, name)
			} else if name, ok := strings.CutPrefix(word, "if:"); ok {
				o.conditional[name] = true
			} else if word == "compartment" {
				o.compartment = true
			} else {
				o.types = append(o.types, word)
			}
		}
	}
	for _, list := range []*[]string{&o.types, &o.system} {
		slices.SortFunc(*list, func(a, b string) int {
			return slices.Index(interactionOrder, a) - slices.Index(interactionOrder, b)
		})
		*list = slices.Compact(*list)
	}
	return o
}

// offerOf is what one route offers; false where this file does not know it, which a test refuses.
func offerOf(method, pattern string) ([]string, *offeredOperation, bool) {
	if words, ok := offers[method+" "+pattern]; ok {
		return words, nil, true
	}
	segments := strings.Split(strings.Trim(pattern, "/"), "/")
	last := segments[len(segments)-1]
	if strings.HasPrefix(last, "$") {
		describe, ok := operations[last]
		if !ok {
			return nil, nil, false
		}
		on := segments[0]
		if len(segments) == 1 {
			on = ""
		}
		return nil, &offeredOperation{describe(on), on}, true
	}
	for i, s := range segments {
		if r4.IsType(s) {
			segments[i] = "{type}"
		}
	}
	words, ok := offers[method+" "+strings.Join(segments, "/")]
	return words, nil, ok
}

// beside adds what another face serves on the same addresses.
func (o *offered) beside(more edge.Offer) {
	for _, op := range more.Operations {
		o.operations = append(o.operations, offeredOperation{operation{op.Name, op.Definition}, op.On})
	}
}

func (o *offered) offers(interaction string) bool {
	return slices.Contains(o.types, interaction) || slices.Contains(o.system, interaction)
}
