package control

import "tarn/export"

// describeFHIRExportJob implements DescribeFHIRExportJob.
func (f *Face) describeFHIRExportJob(r *request) (any, error) {
	rec, err := f.findJob(r, export.Kind)
	if err != nil {
		return nil, err
	}
	p, err := exportPropertiesOf(rec)
	if err != nil {
		return nil, err
	}
	return struct{ ExportJobProperties exportJobProperties }{p}, nil
}
