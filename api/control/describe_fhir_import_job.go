package control

import "tarn/ingest"

// describeFHIRImportJob implements DescribeFHIRImportJob.
func (f *Face) describeFHIRImportJob(r *request) (any, error) {
	rec, err := f.findJob(r, ingest.Import)
	if err != nil {
		return nil, err
	}
	p, err := importPropertiesOf(rec, r.call.When)
	if err != nil {
		return nil, err
	}
	return struct{ ImportJobProperties importJobProperties }{p}, nil
}
