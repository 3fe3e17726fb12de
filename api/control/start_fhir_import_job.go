package control

import "tarn/ingest"

// startFHIRImportJob implements StartFHIRImportJob.
func (f *Face) startFHIRImportJob(r *request) (any, error) {
	d, err := f.starter(r)
	if err != nil {
		return nil, err
	}
	to := r.in.object("JobOutputDataConfig").object("S3Configuration")
	rec, err := f.Imports.Start(r, ingest.Request{
		Datastore:       d.ID,
		DatastoreARN:    d.ARN,
		JobName:         r.in.text("JobName"),
		ClientToken:     r.in.text("ClientToken"),
		RoleARN:         r.in.text("DataAccessRoleArn"),
		InputS3Uri:      r.in.object("InputDataConfig").text("S3Uri"),
		OutputS3Uri:     to.text("S3Uri"),
		KMSKeyID:        to.text("KmsKeyId"),
		ValidationLevel: r.in.text("ValidationLevel"),
		Caller:          r.call.Principal.ARN,
	})
	if err != nil {
		return nil, err
	}
	return started(rec), nil
}
