package rest_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"tarn/fhir/r4"
)

// TestCapabilities_areKept tries what GET metadata says: each interaction, and for every type each search parameter with
// a value of its kind, each include and each reverse include.
func TestCapabilities_areKept(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	_, body := f.send(t, http.MethodGet, "metadata", nil, nil)
	var said capabilities
	must(t, json.Unmarshal(body, &said))
	row := said.Rest[0]
	fhirJSON := http.Header{"Content-Type": {"application/fhir+json"}}
	try := func(what string, want int, method, at string, header http.Header, body string) {
		t.Helper()
		if resp, got := f.send(t, method, at, header, []byte(body)); resp.StatusCode != want {
			t.Errorf("%s: %s %s: %d, want %d: %.300s", what, method, at, resp.StatusCode, want, got)
		}
	}
	const basic = `{"resourceType":"Basic","id":"b","code":{"text":"x"}}`
	try("to begin with", http.StatusCreated, http.MethodPut, "Basic/b", fhirJSON, basic)
	kept := map[string]func(){
		"create": func() { try("create", http.StatusCreated, http.MethodPost, "Basic", fhirJSON, basic) },
		"read":   func() { try("read", http.StatusOK, http.MethodGet, "Basic/b", nil, "") },
		"vread":  func() { try("vread", http.StatusOK, http.MethodGet, "Basic/b/_history/1", nil, "") },
		"update": func() {
			try("update", http.StatusOK, http.MethodPut, "Basic/b", fhirJSON, strings.Replace(basic, `"x"`, `"y"`, 1))
		},
		"delete":           func() { try("delete", http.StatusNoContent, http.MethodDelete, "Basic/gone", nil, "") },
		"history-instance": func() { try("history", http.StatusOK, http.MethodGet, "Basic/b/_history", nil, "") },
		"history-type":     func() { try("history", http.StatusOK, http.MethodGet, "Basic/_history", nil, "") },
		"history-system":   func() { try("history", http.StatusOK, http.MethodGet, "_history", nil, "") },
		"search-type":      func() { try("search", http.StatusOK, http.MethodGet, "Basic?_id=b", nil, "") },
		"search-system":    func() { try("search", http.StatusOK, http.MethodGet, "?_type=Basic&_id=b", nil, "") },
		"patch": func() {
			try("patch", http.StatusOK, http.MethodPatch, "Basic/b", http.Header{"Content-Type": {"application/json-patch+json"}}, `[{"op":"replace","path":"/code/text","value":"z"}]`)
		},
		"transaction": func() {
			try("transaction", http.StatusOK, http.MethodPost, "", fhirJSON, `{"resourceType":"Bundle","type":"transaction","entry":[{"request":{"method":"GET","url":"Basic/b"}}]}`)
		},
		"batch": func() {
			try("batch", http.StatusOK, http.MethodPost, "", fhirJSON, `{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"Basic/b"}}]}`)
		},
	}
	try("to delete", http.StatusCreated, http.MethodPut, "Basic/gone", fhirJSON, strings.Replace(basic, `"b"`, `"gone"`, 1))
	for _, i := range append(row.Resource[7].Interaction, row.Interaction...) {
		if kept[i.Code] == nil {
			t.Errorf("%s is offered, and this test does not know it", i.Code)
			continue
		}
		kept[i.Code]()
	}
	// The statement is a valid resource: it can be stored under the strictest rules.
	try("the statement", http.StatusCreated, http.MethodPut, "CapabilityStatement/self", http.Header{"Content-Type": {"application/fhir+json"}, "X-Amzn-Healthlake-Fhir-Validation-Level": {"strict"}},
		`{"id":"self",`+string(body[1:]))
	extras(try, said)
	values := map[string]string{"number": "1", "date": "2020-01", "string": "a", "token": "http://s|a", "quantity": "1|http://unitsofmeasure.org|mg", "uri": "http://a"}
	searches := 0
	for i, r := range row.Resource {
		code := r4.Code(i + 1)
		value := func(p *r4.SearchParam) string {
			switch {
			case p.Name == "_has":
				return "a"
			case p.Name == "_id":
				return "a"
			case p.Type == r4.ParamReference && len(p.Targets) > 0:
				return p.Targets[0] + "/a"
			case p.Type == r4.ParamReference:
				return "Patient/a"
			}
			return values[p.Type.String()]
		}
		// One search names all parameters of a type, so that a wrong one fails it.
		query := url.Values{}
		for _, offered := range r.SearchParam {
			p := code.Param(offered.Name)
			switch {
			case p.Name == "_has":
				query.Add("_has:"+r.SearchRevInclude[0]+":_id", "a")
			case p.Type == r4.ParamComposite:
				var parts []string
				for _, c := range p.Components {
					parts = append(parts, value(c.Param))
				}
				query.Add(p.Name, strings.Join(parts, "$"))
			default:
				query.Add(p.Name, value(p))
			}
		}
		if len(query) > 0 {
			searches++
			try(r.Type, http.StatusOK, http.MethodGet, r.Type+"?"+query.Encode(), http.Header{"Prefer": {"handling=strict"}}, "")
		}
		for name, list := range map[string][]string{"_include": r.SearchInclude, "_revinclude": r.SearchRevInclude} {
			for from := 0; from < len(list); from += 10 {
				searches++
				try(r.Type, http.StatusOK, http.MethodGet, r.Type+"?"+url.Values{name: list[from:min(from+10, len(list))]}.Encode(), nil, "")
			}
		}
		if t.Failed() && i > 20 {
			t.Fatal("enough")
		}
	}
	t.Logf("%d searches are answered", searches)
}

// extras tries what the statement says beside interactions and searches.
func extras(try func(what string, want int, method, at string, header http.Header, body string), said capabilities) {
	const patient = `{"resourceType":"Patient","id":"p","active":true}`
	fhirJSON := http.Header{"Content-Type": {"application/fhir+json"}}
	try("to begin with", http.StatusCreated, http.MethodPut, "Patient/p", fhirJSON, patient)
	code, _ := r4.CodeOf("Patient")
	offered := said.Rest[0].Resource[code-1]
	if offered.ConditionalCreate {
		try("conditional create", http.StatusOK, http.MethodPost, "Patient", http.Header{"Content-Type": {"application/fhir+json"}, "If-None-Exist": {"_id=p"}}, patient)
	}
	if offered.ConditionalUpdate {
		try("conditional update", http.StatusOK, http.MethodPut, "Patient?_id=p", fhirJSON, patient)
	}
	if offered.ConditionalDelete == "single" {
		try("to delete", http.StatusCreated, http.MethodPut, "Patient/q", fhirJSON, strings.Replace(patient, `"p"`, `"q"`, 1))
		try("conditional delete", http.StatusNoContent, http.MethodDelete, "Patient?_id=q", nil, "")
	}
	if said.Rest[0].Compartment != nil {
		try("compartment", http.StatusOK, http.MethodGet, "Patient/p/Observation", nil, "")
		try("compartment", http.StatusOK, http.MethodGet, "Patient/p/*", nil, "")
	}
	for _, format := range said.PatchFormat {
		body := `[{"op":"replace","path":"/active","value":false}]`
		if format == "application/fhir+json" {
			body = `{"resourceType":"Parameters","parameter":[{"name":"operation","part":[{"name":"type","valueCode":"replace"},
				{"name":"path","valueString":"Patient.active"},{"name":"value","valueBoolean":true}]}]}`
		}
		try("patch by "+format, http.StatusOK, http.MethodPatch, "Patient/p", http.Header{"Content-Type": {format}}, body)
	}
	exports(try, said)
	for _, op := range offered.Operation {
		switch op.Name {
		case "validate":
			try("$validate", http.StatusOK, http.MethodPost, "Patient/$validate", fhirJSON, patient)
		case "everything":
			try("$everything", http.StatusOK, http.MethodGet, "Patient/p/$everything", nil, "")
		case "export": // see exports
		default:
			try(op.Name+", which this test does not know", 0, http.MethodGet, "Patient/$"+op.Name, nil, "")
		}
	}
}

// exports tries the exports that the statement names, at each level.
func exports(try func(what string, want int, method, at string, header http.Header, body string), said capabilities) {
	try("to begin with", http.StatusCreated, http.MethodPut, "Group/g", http.Header{"Content-Type": {"application/fhir+json"}},
		`{"resourceType":"Group","id":"g","type":"person","actual":true,"member":[{"entity":{"reference":"Patient/p"}}]}`)
	started := 0
	for _, op := range said.Rest[0].Operation {
		started++
		try("system $"+op.Name, http.StatusAccepted, http.MethodGet, "$"+op.Name, nil, "")
	}
	at := map[string]string{"Patient": "Patient/$", "Group": "Group/g/$"}
	for _, r := range said.Rest[0].Resource {
		for _, op := range r.Operation {
			if strings.HasSuffix(op.Name, "export") {
				started++
				try(r.Type+" $"+op.Name, http.StatusAccepted, http.MethodGet, at[r.Type]+op.Name, nil, "")
			}
		}
	}
	if started != 4 {
		try("four exports, not another number", 0, http.MethodGet, "metadata", nil, "")
	}
}
