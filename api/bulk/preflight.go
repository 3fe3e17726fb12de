package bulk

import (
	"encoding/json"
	"net/http"

	"tarn/api/edge"
	"tarn/catalog"
	"tarn/export"
	"tarn/fault"
)

// ActionStart is the permission to start an export, and so to ask whether one could start.
const ActionStart = "healthlake:StartFHIRExportJob"

// principal is the service that a data access role is handed to.
const principal = "healthlake.amazonaws.com"

// preflightBody is what StartFHIRExportJob takes, as far as it can be checked beforehand. Its other members may stand
// there and are not looked at, so that the body of a start can be sent as it is.
type preflightBody struct {
	DataAccessRoleArn string
	OutputDataConfig  struct {
		S3Configuration struct{ S3Uri, KmsKeyId string }
	}
}

// preflight is POST export/preflight: everything that would keep an export from starting, all at once, as
// {"findings":[...]}; an empty list means that it would start. Nothing is started or written.
func (f *Face) preflight(w http.ResponseWriter, r *http.Request, call *edge.DatastoreCall, _ place) error {
	raw, err := call.Bytes()
	if err != nil {
		return err
	}
	if err := call.Authorize(ActionStart); err != nil {
		return err
	}
	var in preflightBody
	if err := json.Unmarshal(raw, &in); err != nil {
		return fault.WithHint(fault.Errorf(fault.Invalid, "bulk", "The body is no JSON of a StartFHIRExportJob request."),
			`It has the form {"DataAccessRoleArn":"...","OutputDataConfig":{"S3Configuration":{"S3Uri":"s3://...","KmsKeyId":"..."}}}.`)
	}
	to := in.OutputDataConfig.S3Configuration
	for _, member := range []struct{ name, value string }{
		{"DataAccessRoleArn", in.DataAccessRoleArn},
		{"OutputDataConfig.S3Configuration.S3Uri", to.S3Uri},
		{"OutputDataConfig.S3Configuration.KmsKeyId", to.KmsKeyId},
	} {
		if member.value == "" {
			return fault.Errorf(fault.Invalid, "bulk", "The member %s is missing.", member.name)
		}
	}
	if err := call.PassRole(in.DataAccessRoleArn, principal); err != nil {
		return err
	}
	d, err := f.o.Datastores.Known(r.Context(), call.ID)
	if err != nil {
		return err
	}
	if d.Status != catalog.Active {
		return fault.Errorf(fault.Invalid, "bulk", "Data store %s is %s; an export needs it to be ACTIVE.", d.ID, d.Status)
	}
	findings, err := f.o.Exports.Preflight(r.Context(), export.Request{Datastore: d.ID, DatastoreARN: d.ARN,
		RoleARN: in.DataAccessRoleArn, S3Uri: to.S3Uri, KMSKeyID: to.KmsKeyId, Caller: call.Principal.ARN})
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
