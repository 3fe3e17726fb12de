package bulk

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"tarn/api/edge"
	"tarn/export"
	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/r4"
)

// The permissions of kick-offs are HealthLake's, and apart from that of StartFHIRExportJob.
const (
	ActionStartPost = "healthlake:StartFHIRExportJobWithPost"
	ActionStartGet  = "healthlake:StartFHIRExportJobWithGet"
)

// kickOff is GET and POST $export (Bulk Data Access 3.0.0, section "Bulk Data Kick-off Request"). A POST with HealthLake's
// body sends the export to the caller's bucket; a GET, or a POST with Parameters, to the service's own, where the files
// are fetched through the data store.
func (f *Face) kickOff(w http.ResponseWriter, r *http.Request, call *edge.DatastoreCall, at place) error {
	p, err := queryParams(r)
	if err != nil {
		return err
	}
	req := export.Request{Datastore: call.ID, Caller: call.Principal.ARN, Base: strings.TrimRight(call.Base, "/"), Own: true,
		RequestURL: strings.TrimRight(call.Base, "/") + "/" + at.path + query(r)}
	p.base = req.Base
	p.daVinci = at.daVinci
	posted := r.Method == http.MethodPost
	action := ActionStartGet
	var raw []byte
	if posted {
		action = ActionStartPost
		if raw, err = call.Bytes(); err != nil {
			return err
		}
	}
	types, err := permitted(call, action)
	if err != nil {
		return err
	}
	if posted {
		if err := f.body(&req, &p, call, raw); err != nil {
			return err
		}
	}
	if req.Selection, err = p.selection(at.level, at.group, posted); err != nil {
		return err
	}
	for _, name := range named(req.Selection) { // what is asked for by name is refused, the rest left out
		if err := call.Authorize(action, edge.ResourceType(name)); err != nil {
			return err
		}
	}
	narrow := len(req.Selection.Types) == 0
	if at.daVinci {
		if err := daVinci(&req.Selection); err != nil {
			return err
		}
	}
	if narrow && !req.Selection.Narrow(types) { // patients are among what is left out
		return call.Authorize(action, edge.ResourceType("Patient"))
	}
	if len(req.Selection.Filters) > 0 && len(types) < len(r4.Types()) { // filters tell of what may be exported alone
		req.Selection.See = types
	}
	req.Ignored = p.ignored
	d, err := f.active(r.Context(), call.ID)
	if err != nil {
		return err
	}
	req.DatastoreARN = d.ARN
	rec, err := f.o.Exports.Start(r.Context(), req)
	var wrong *export.PreflightError
	if errors.As(err, &wrong) { // HealthLake's status for what the role may not do, which is nothing that the caller may not do
		return edge.WithStatus(http.StatusBadRequest, err)
	}
	if err != nil {
		return err
	}
	w.Header().Set("Content-Location", req.Base+"/export/"+rec.ID)
	return writeStatus(w, http.StatusAccepted, map[string]any{"datastoreId": call.ID, "jobStatus": rec.State, "jobId": rec.ID})
}

// named are the types of which a selection tells something to who starts it, whatever is exported: those that it names, and
// those of the Group, the patients and the filters that it names.
func named(s export.Selection) []string {
	names := slices.Clone(s.Types)
	if s.Group != "" {
		names = append(names, "Group")
	}
	if len(s.Patients) > 0 {
		names = append(names, "Patient")
	}
	for _, f := range s.Filters {
		if name, _, _ := strings.Cut(f, "?"); slices.Contains(r4.Types(), name) {
			names = append(names, name)
		}
	}
	return names
}

func query(r *http.Request) string {
	if r.URL.RawQuery == "" {
		return ""
	}
	return "?" + r.URL.RawQuery
}

// startBody is HealthLake's body of a kick-off, or as much of a Parameters resource as a kick-off takes.
type startBody struct {
	destination
	JobName      string
	ClientToken  string
	ResourceType string `json:"resourceType"`
	Parameter    []struct {
		Name           string  `json:"name"`
		ValueString    *string `json:"valueString"`
		ValueCode      *string `json:"valueCode"`
		ValueURI       *string `json:"valueUri"`
		ValueInstant   *string `json:"valueInstant"`
		ValueDateTime  *string `json:"valueDateTime"`
		ValueBoolean   *bool   `json:"valueBoolean"`
		ValueReference *struct {
			Reference string `json:"reference"`
		} `json:"valueReference"`
		ValueCoding *struct {
			Code string `json:"code"`
		} `json:"valueCoding"`
	} `json:"parameter"`
}

// body reads what a POST sends: HealthLake's request, or a Parameters resource, or nothing.
func (f *Face) body(req *export.Request, p *params, call *edge.DatastoreCall, raw []byte) error {
	if len(raw) == 0 {
		return nil
	}
	var in startBody
	if err := json.Unmarshal(raw, &in); err != nil {
		return fault.WithHint(fault.Errorf(fault.Invalid, "bulk", "The body is neither a Parameters resource nor JSON of a start of an export."),
			`Send {"DataAccessRoleArn":"...","OutputDataConfig":{"S3Configuration":{"S3Uri":"s3://...","KmsKeyId":"..."}}}, or a Parameters resource.`)
	}
	if in.ResourceType == "Parameters" {
		return p.parameters(&in)
	}
	if in.ResourceType != "" {
		return fhir.NewOutcomeError(fault.Invalid, "bulk", fhir.Issue{Severity: fhir.SeverityError, Code: fhir.CodeInvalid,
			Diagnostics: "The body of a kick-off is a Parameters resource."})
	}
	if err := in.complete(); err != nil {
		return err
	}
	if !edge.ValidJobName(in.JobName) || !edge.ValidClientToken(in.ClientToken) {
		return fault.Errorf(fault.Invalid, "bulk", "JobName has at most 64 letters, digits, spaces and _.:/=+-%%@, ClientToken at most 64 letters, digits and hyphens.")
	}
	req.JobName, req.ClientToken = in.JobName, in.ClientToken
	return in.direct(req, call)
}

// parameters adds what a Parameters resource holds.
func (p *params) parameters(in *startBody) error {
	for _, q := range in.Parameter {
		value := ""
		switch {
		case q.ValueReference != nil:
			value = q.ValueReference.Reference
		case q.ValueCoding != nil:
			value = q.ValueCoding.Code
		case q.ValueBoolean != nil:
			value = strconv.FormatBool(*q.ValueBoolean)
		default:
			for _, v := range []*string{q.ValueString, q.ValueCode, q.ValueURI, q.ValueInstant, q.ValueDateTime} {
				if v != nil {
					value = *v
				}
			}
		}
		if q.Name == "" || value == "" {
			return refuse(q.Name, "it has no value of a known type")
		}
		p.list = append(p.list, param{q.Name, value})
	}
	return nil
}

// memberAttribution is the exportType of $davinci-data-export that is offered, its default: a member attribution list.
const memberAttribution = "hl7.fhir.us.davinci-atr"

// beyondPatients are the types of such a list that belong to no patient, but are referred to.
var beyondPatients = []string{"Location", "Organization", "Practitioner", "PractitionerRole"}

// daVinci narrows a selection to the types of a member attribution list.
func daVinci(s *export.Selection) error {
	const most = 500
	if len(s.Patients) > most {
		return refuse("patient", "there are %d of them; the most is %d", len(s.Patients), most)
	}
	if len(s.Types) == 0 {
		s.Types = []string{"Coverage", "Group", "Location", "Organization", "Patient", "Practitioner", "PractitionerRole", "RelatedPerson"}
		if s.Associated != "" {
			s.Types = append(s.Types, "Provenance")
		}
	}
	s.References = s.References || slices.ContainsFunc(s.Types, func(name string) bool { return slices.Contains(beyondPatients, name) })
	return nil
}
