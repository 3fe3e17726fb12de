package rest_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"tarn/api/edge"
	"tarn/api/rest"
	"tarn/fhir/r4"
)

type capabilities struct {
	ResourceType   string
	Implementation struct{ URL string }
	PatchFormat    []string
	Rest           []struct {
		Resource []struct {
			Type                            string
			Interaction                     []struct{ Code string }
			ConditionalCreate               bool
			ConditionalUpdate               bool
			ConditionalDelete               string
			SupportedProfile                []string
			SearchInclude, SearchRevInclude []string
			SearchParam                     []struct{ Name, Definition, Type string }
			Operation                       []struct{ Name, Definition string }
		}
		Interaction []struct{ Code string }
		SearchParam []struct{ Name, Definition, Type string }
		Compartment []string
		Operation   []struct{ Name, Definition string }
	}
}

func TestCapabilities_knowEveryRoute(t *testing.T) {
	t.Parallel()
	for _, r := range rest.RoutesWithoutOffer() {
		t.Errorf("the CapabilityStatement does not know the route %s: say in offers.go what it offers, if nothing then {}", r)
	}
}

func TestCapabilities_areWhatATableOfRoutesGives(t *testing.T) {
	t.Parallel()
	read := func(patterns ...string) capabilities {
		var c capabilities
		must(t, json.Unmarshal(rest.StatementForTest(edge.Offer{}, patterns), &c))
		return c
	}
	bare := read("GET {type}/{id}")
	if r := bare.Rest[0].Resource[0]; len(r.Interaction) != 1 || r.SearchParam != nil || r.SearchInclude != nil || bare.PatchFormat != nil || bare.Rest[0].Interaction != nil || bare.Rest[0].Compartment != nil {
		t.Errorf("only a read is offered: %+v", r)
	}
	full := read("GET metadata", "GET {type}/{id}", "PATCH {type}/{id}", "GET {type}", "POST {type}/_search", "GET ", "POST ", "GET _history",
		"PUT {type}", "DELETE {type}", "POST {type}/$validate", "GET {type}/$validate", "GET Patient/{id}/$everything", "GET {type}/{id}/{type}")
	row := full.Rest[0]
	if got := names(row.Interaction); got != "transaction batch search-system history-system" {
		t.Errorf("system: %s", got)
	}
	if len(row.Compartment) != 5 || len(full.PatchFormat) != 2 || len(row.Resource) != r4.Count {
		t.Errorf("%d compartments, %d patch formats, %d types", len(row.Compartment), len(full.PatchFormat), len(row.Resource))
	}
	params := 0
	for i, r := range row.Resource {
		code := r4.Code(i + 1)
		if r.Type != code.String() || names(r.Interaction) != "read patch search-type" {
			t.Errorf("%s: %s", r.Type, names(r.Interaction))
		}
		params += len(r.SearchParam)
		for _, p := range r.SearchParam {
			if def := code.Param(p.Name); def == nil || def.Type.String() != p.Type || def.URL != p.Definition || p.Name == "_text" || p.Name == "_filter" {
				t.Errorf("%s.%s is %v", r.Type, p.Name, p)
			}
		}
		for _, include := range append(slices.Clone(r.SearchInclude[1:]), r.SearchRevInclude...) {
			typ, name, _ := strings.Cut(include, ":")
			from, ok := r4.CodeOf(typ)
			if !ok || from.Param(name) == nil || from.Param(name).Type != r4.ParamReference {
				t.Errorf("%s: %s is no reference", r.Type, include)
			}
		}
		want := "validate"
		if r.Type == "Patient" {
			want = "validate everything"
			if !slices.Contains(r.SearchRevInclude, "Observation:subject") || slices.Contains(r.SearchRevInclude, "Observation:device") ||
				!slices.Contains(r.SearchInclude, "Patient:general-practitioner") {
				t.Errorf("Patient: includes %v, reverse %v", r.SearchInclude, r.SearchRevInclude)
			}
		}
		var got []string
		for _, op := range r.Operation {
			got = append(got, op.Name)
			if !strings.HasPrefix(op.Definition, "http://hl7.org/fhir/OperationDefinition/") {
				t.Errorf("%s: %v", r.Type, op)
			}
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: operations %v", r.Type, got)
		}
	}
	if params < 2000 {
		t.Errorf("%d search parameters", params)
	}
}

func TestCapabilities_tellWhatAnotherFaceServes(t *testing.T) {
	t.Parallel()
	var said struct {
		Instantiates []string
		Rest         []struct {
			Operation []struct{ Name, Definition string }
			Resource  []struct {
				Type      string
				Operation []struct{ Name, Definition string }
			}
		}
	}
	must(t, json.Unmarshal(rest.StatementForTest(edge.Offer{Instantiates: []string{"http://s"}, Operations: []edge.OfferedOperation{
		{On: "", Name: "a", Definition: "http://a"}, {On: "Group", Name: "b", Definition: "http://b"}}}, []string{"POST {type}/$validate"}), &said))
	if row := said.Rest[0]; !slices.Equal(said.Instantiates, []string{"http://s"}) || len(row.Operation) != 1 || row.Operation[0].Name != "a" || row.Operation[0].Definition != "http://a" {
		t.Errorf("%v, system %v", said.Instantiates, row.Operation)
	}
	for _, r := range said.Rest[0].Resource {
		want := 1
		if r.Type == "Group" {
			want = 2
		}
		if len(r.Operation) != want || r.Operation[len(r.Operation)-1].Name != map[int]string{1: "validate", 2: "b"}[want] {
			t.Errorf("%s: %v", r.Type, r.Operation)
		}
	}
}

func names(list []struct{ Code string }) string {
	var all []string
	for _, c := range list {
		all = append(all, c.Code)
	}
	return strings.Join(all, " ")
}

func TestCapabilities_nameTheDataStoreAsked(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	for range 2 {
		resp, body := f.send(t, http.MethodGet, "metadata", nil, nil)
		var c capabilities
		if err := json.Unmarshal(body, &c); err != nil || resp.StatusCode != http.StatusOK || c.Implementation.URL != f.base {
			t.Errorf("%d, %v, %s, want %s", resp.StatusCode, err, c.Implementation.URL, f.base)
		}
	}
}
