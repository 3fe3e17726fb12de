package control

import (
	"time"

	"tarn/catalog"
)

// listFHIRDatastores implements ListFHIRDatastores: every status, newest first, 100 where MaxResults is absent.
func (f *Face) listFHIRDatastores(r *request) (any, error) {
	if err := r.call.Authorize(r.route.iamAction, "*"); err != nil {
		return nil, err
	}
	in := r.in.object("Filter")
	filter := catalog.Filter{Name: in.text("DatastoreName"), Status: catalog.Status(in.text("DatastoreStatus")),
		CreatedBefore: in.when("CreatedBefore"), CreatedAfter: in.when("CreatedAfter"), Limit: r.in.number("MaxResults")}
	list := []string{r.route.action, filter.Name, string(filter.Status), stamp(filter.CreatedBefore), stamp(filter.CreatedAfter)}
	var err error
	if filter.Cursor, err = f.cursor(r.in.text("NextToken"), list...); err != nil {
		return nil, err
	}
	page, err := f.Datastores.List(r, filter)
	if err != nil {
		return nil, err
	}
	out := struct {
		DatastorePropertiesList []datastoreProperties
		NextToken               string `json:",omitempty"`
	}{make([]datastoreProperties, len(page.Datastores)), f.nextToken(page.Next, list...)}
	for i, d := range page.Datastores {
		out.DatastorePropertiesList[i] = propertiesOf(d)
	}
	return out, nil
}

// stamp is a time for the fingerprint of a list.
func stamp(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339Nano)
}
