package bulk

import (
	"encoding/json"
	"net/http"

	"tarn/api/edge"
	"tarn/export"
	"tarn/fault"
)

// ActionStart is the permission to start an export, and so to ask whether one could start.
const ActionStart = "healthlake:StartFHIRExportJob"

// preflight is POST export/preflight: everything that would keep an export from starting, all at once, as
// {"findings":[...]}; an empty list means that it would start. Nothing is started or written. The body is that of a
// StartFHIRExportJob; what it holds beside the destination is not looked at.
func (f *Face) preflight(w http.ResponseWriter, r *http.Request, call *edge.DatastoreCall, _ place) error {
	raw, err := call.Bytes()
	if err != nil {
		return err
	}
	if err := call.Authorize(ActionStart); err != nil {
		return err
	}
	var in destination
	if err := json.Unmarshal(raw, &in); err != nil {
		return fault.WithHint(fault.Errorf(fault.Invalid, "bulk", "The body is no JSON of a StartFHIRExportJob request."),
			`It has the form {"DataAccessRoleArn":"...","OutputDataConfig":{"S3Configuration":{"S3Uri":"s3://...","KmsKeyId":"..."}}}.`)
	}
	if err := in.complete(); err != nil {
		return err
	}
	req := export.Request{Datastore: call.ID, Caller: call.Principal.ARN}
	if err := in.direct(&req, call); err != nil {
		return err
	}
	d, err := f.active(r.Context(), call.ID)
	if err != nil {
		return err
	}
	req.DatastoreARN = d.ARN
	findings, err := f.o.Exports.Preflight(r.Context(), req)
	if err != nil {
		return err
	}
	if findings == nil {
		findings = []export.Finding{}
	}
	return writeJSON(w, struct {
		Findings []export.Finding `json:"findings"`
	}{findings})
}
