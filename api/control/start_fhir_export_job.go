package control

import (
	"tarn/api/edge"
	"tarn/export"
	"tarn/fhir/r4"
)

// startFHIRExportJob implements StartFHIRExportJob.
func (f *Face) startFHIRExportJob(r *request) (any, error) {
	d, err := f.starter(r)
	if err != nil {
		return nil, err
	}
	for _, name := range r4.Types() { // all are exported
		if err := r.call.Authorize(r.route.iamAction, d.ARN, append(edge.ResourceTags(d.Tags), edge.ResourceType(name))...); err != nil {
			return nil, err
		}
	}
	to := r.in.object("OutputDataConfig").object("S3Configuration")
	rec, err := f.Exports.Start(r, export.Request{
		Datastore:    d.ID,
		DatastoreARN: d.ARN,
		JobName:      r.in.text("JobName"),
		ClientToken:  r.in.text("ClientToken"),
		RoleARN:      r.in.text("DataAccessRoleArn"),
		S3Uri:        to.text("S3Uri"),
		KMSKeyID:     to.text("KmsKeyId"),
		Caller:       r.call.Principal.ARN,
	})
	if err != nil {
		return nil, err
	}
	return started(rec), nil
}
