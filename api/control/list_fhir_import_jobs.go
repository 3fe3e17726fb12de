package control

import "tarn/ingest"

// listFHIRImportJobs implements ListFHIRImportJobs.
func (f *Face) listFHIRImportJobs(r *request) (any, error) {
	jobs, next, err := f.listJobs(r, ingest.Import)
	if err != nil {
		return nil, err
	}
	out := struct {
		ImportJobPropertiesList []importJobProperties
		NextToken               string `json:",omitempty"`
	}{make([]importJobProperties, len(jobs)), next}
	for i, rec := range jobs {
		if out.ImportJobPropertiesList[i], err = importPropertiesOf(rec, r.call.When); err != nil {
			return nil, err
		}
	}
	return out, nil
}
