package rest

import (
	"net/http"
	"strings"

	"tarn/api/edge"
	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/r4"
)

// route is one interaction. In a pattern {type}, {id}, {vid} and {name} stand for one segment each; a second {type} is what is
// searched in a compartment.
type route struct {
	method    string
	pattern   string
	iamAction string
	handle    func(*Face, *request) error
	segments  []string // of the pattern
}

// routes are all interactions of the face; testdata/routes.golden shows them to a reviewer.
func routes() []route {
	all := []route{
		{method: http.MethodGet, pattern: "metadata", iamAction: "healthlake:GetCapabilities", handle: (*Face).capabilities},
		{method: http.MethodPost, pattern: "", iamAction: "healthlake:ProcessBundle", handle: (*Face).bundle},
		{method: http.MethodGet, pattern: "Transaction/{id}", iamAction: "healthlake:ProcessBundle", handle: (*Face).background},
		{method: http.MethodGet, pattern: "", iamAction: "healthlake:SearchWithGet", handle: (*Face).search},
		{method: http.MethodPost, pattern: "_search", iamAction: "healthlake:SearchWithPost", handle: (*Face).search},
		{method: http.MethodGet, pattern: "{type}", iamAction: "healthlake:SearchWithGet", handle: (*Face).search},
		{method: http.MethodPost, pattern: "{type}/_search", iamAction: "healthlake:SearchWithPost", handle: (*Face).search},
		{method: http.MethodGet, pattern: "Patient/{id}/$everything", iamAction: "healthlake:SearchEverything", handle: (*Face).everything},
		{method: http.MethodPost, pattern: "Patient/{id}/$everything", iamAction: "healthlake:SearchEverything", handle: (*Face).everything},
		{method: http.MethodGet, pattern: "Encounter/{id}/$everything", iamAction: "healthlake:SearchEverything", handle: (*Face).everything},
		{method: http.MethodPost, pattern: "Encounter/{id}/$everything", iamAction: "healthlake:SearchEverything", handle: (*Face).everything},
		{method: http.MethodGet, pattern: "{type}/{id}/{type}", iamAction: "healthlake:SearchWithGet", handle: (*Face).search},
		{method: http.MethodGet, pattern: "{type}/{id}/*", iamAction: "healthlake:SearchWithGet", handle: (*Face).search},
		{method: http.MethodPost, pattern: "{type}/{id}/{type}/_search", iamAction: "healthlake:SearchWithPost", handle: (*Face).search},
		{method: http.MethodPost, pattern: "profiles", iamAction: "healthlake:InstallProfiles", handle: (*Face).installProfiles},
		{method: http.MethodGet, pattern: "profiles", iamAction: "healthlake:ListProfiles", handle: (*Face).listProfiles},
		{method: http.MethodDelete, pattern: "profiles/{name}", iamAction: "healthlake:RemoveProfiles", handle: (*Face).removeProfiles},
		{method: http.MethodDelete, pattern: "profiles/{name}/{vid}", iamAction: "healthlake:RemoveProfiles", handle: (*Face).removeProfiles},
		{method: http.MethodPost, pattern: "{type}/{id}/$erase", iamAction: "healthlake:EraseResource", handle: (*Face).erase},
		{method: http.MethodGet, pattern: "Erasure/{id}", iamAction: "healthlake:EraseResource", handle: (*Face).erasure},
		{method: http.MethodPost, pattern: "{type}/$validate", iamAction: "healthlake:ValidateResource", handle: (*Face).validate},
		{method: http.MethodPost, pattern: "{type}/{id}/$validate", iamAction: "healthlake:ValidateResource", handle: (*Face).validate},
		{method: http.MethodGet, pattern: "{type}/{id}/$validate", iamAction: "healthlake:ValidateResource", handle: (*Face).validate},
		{method: http.MethodPost, pattern: "{type}", iamAction: "healthlake:CreateResource", handle: (*Face).create},
		{method: http.MethodGet, pattern: "{type}/{id}", iamAction: "healthlake:ReadResource", handle: (*Face).read},
		{method: http.MethodPut, pattern: "{type}/{id}", iamAction: "healthlake:UpdateResource", handle: (*Face).update},
		{method: http.MethodPut, pattern: "{type}", iamAction: "healthlake:UpdateResource", handle: (*Face).updateWhere},
		{method: http.MethodPatch, pattern: "{type}/{id}", iamAction: "healthlake:PatchResource", handle: (*Face).patch},
		{method: http.MethodPatch, pattern: "{type}", iamAction: "healthlake:PatchResource", handle: (*Face).patchWhere},
		{method: http.MethodDelete, pattern: "{type}/{id}", iamAction: "healthlake:DeleteResource", handle: (*Face).delete},
		{method: http.MethodDelete, pattern: "{type}", iamAction: "healthlake:DeleteResource", handle: (*Face).deleteWhere},
		{method: http.MethodGet, pattern: "{type}/{id}/_history", iamAction: "healthlake:GetHistoryByResourceId", handle: (*Face).history},
		{method: http.MethodGet, pattern: "{type}/_history", iamAction: "healthlake:GetHistoryByResourceType", handle: (*Face).historyOfAll},
		{method: http.MethodGet, pattern: "_history", iamAction: "healthlake:GetHistory", handle: (*Face).historyOfAll},
		{method: http.MethodGet, pattern: "{type}/{id}/_history/{vid}", iamAction: "healthlake:VersionReadResource", handle: (*Face).vread},
	}
	for i := range all {
		all[i].segments = segmentsOf(all[i].pattern)
	}
	return all
}

// segmentsOf are the parts of a path; a doubled slash is one.
func segmentsOf(path string) []string {
	return strings.FieldsFunc(path, func(c rune) bool { return c == '/' })
}

// match finds the route of a path below the base. HEAD is GET without a body. Where the path is known and the method is
// not, allowed lists those that are. A path that has the shape of a route but names no type, or no id, is not known.
func (f *Face) match(method, path string) (_ *route, _ *request, allowed string, _ error) {
	segments := segmentsOf(path)
	var others []string
	var wrong error
	for i := range f.routes {
		rt := &f.routes[i]
		req, ok, err := rt.fit(segments)
		switch {
		case !ok:
		case err != nil && wrong == nil:
			wrong = err
		case err != nil:
		case rt.method == method, rt.method == http.MethodGet && method == http.MethodHead:
			return rt, req, "", nil
		default:
			others = append(others, rt.method)
			if rt.method == http.MethodGet {
				others = append(others, http.MethodHead)
			}
		}
	}
	if allowed = strings.Join(others, ", "); allowed != "" {
		return nil, nil, allowed, edge.WithStatus(http.StatusMethodNotAllowed, fault.WithHint(
			fault.Errorf(fault.Unsupported, "rest", "Interaction not supported: %s /%s.", method, strings.Join(segments, "/")),
			"This path knows %s.", allowed))
	}
	if wrong != nil {
		return nil, nil, "", wrong
	}
	return nil, nil, "", edge.WithStatus(http.StatusNotFound, fault.WithHint(
		fault.Errorf(fault.Unsupported, "rest", "Interaction not supported: %s /%s.", method, strings.Join(segments, "/")),
		"GET metadata lists what is offered."))
}

// fit takes the variables of the pattern out of the segments. A path of the pattern's shape whose type or id cannot be
// one fits, with an error.
func (rt *route) fit(segments []string) (*request, bool, error) {
	if len(rt.segments) != len(segments) {
		return nil, false, nil
	}
	req := new(request)
	var err error
	for i, name := range rt.segments {
		s := segments[i]
		switch name {
		case "{type}":
			code, ok := r4.CodeOf(s)
			if !ok && (s == "" || s[0] < 'A' || s[0] > 'Z') {
				return nil, false, nil // metadata, _history, $operation: some other path
			}
			if !ok {
				err = edge.WithStatus(http.StatusNotFound, fault.Errorf(fault.Unsupported, "rest", "%q is no resource type of FHIR R4.", s))
			}
			if i > 0 {
				req.within = code
			} else {
				req.target.Type = code
			}
		case "{id}":
			if strings.HasPrefix(s, "$") || strings.HasPrefix(s, "_") {
				return nil, false, nil
			}
			if !fhir.ValidID(s) && err == nil {
				err = fhir.NewOutcomeError(fault.Invalid, "rest", fhir.Issue{Severity: fhir.SeverityError, Code: fhir.CodeValue,
					Diagnostics: "The id in the URL is not of the form [A-Za-z0-9\\-\\.]{1,64}."})
			}
			req.target.ID = s
		case "{vid}":
			req.vid = s
		case "{name}":
			req.pack = s
		default:
			if name != s {
				return nil, false, nil
			}
			if code, ok := r4.CodeOf(name); ok {
				req.target.Type = code
			}
		}
	}
	return req, true, err
}
