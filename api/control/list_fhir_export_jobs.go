package control

import "tarn/export"

// listFHIRExportJobs implements ListFHIRExportJobs.
func (f *Face) listFHIRExportJobs(r *request) (any, error) {
	jobs, next, err := f.listJobs(r, export.Kind)
	if err != nil {
		return nil, err
	}
	out := struct {
		ExportJobPropertiesList []exportJobProperties
		NextToken               string `json:",omitempty"`
	}{make([]exportJobProperties, len(jobs)), next}
	for i, rec := range jobs {
		if out.ExportJobPropertiesList[i], err = exportPropertiesOf(rec); err != nil {
			return nil, err
		}
	}
	return out, nil
}
