package console

import (
	"net/http"
	"strings"

	"tarn/api/client"
)

type createDatastoreData struct {
	Name    string
	Preload bool
	Token   string // makes a form that is sent twice one data store
	Problem *Problem
}

// createDatastorePage shows the form.
func (c *Console) createDatastorePage(v *visit) error {
	return v.page("create_datastore", "datastores", "Create data store", createDatastoreData{Token: nonce()})
}

// createDatastore makes a data store and shows it.
func (c *Console) createDatastore(v *visit) error {
	f := v.r.PostForm
	d := createDatastoreData{Name: strings.TrimSpace(f.Get("name")), Preload: f.Get("preload") != "", Token: f.Get("token")}
	refuse := func(status int, p Problem) error {
		d.Problem = &p
		return v.show(status, "create_datastore", frame{Title: "Create data store", Nav: "datastores", Data: d})
	}
	if d.Name == "" {
		return refuse(http.StatusBadRequest, Problem{Text: "Give the data store a name."})
	}
	in := map[string]any{"DatastoreTypeVersion": "R4", "DatastoreName": d.Name,
		"ClientToken": clientToken(d.Token, d.Name, f.Get("preload"))}
	if d.Preload {
		in["PreloadDataConfig"] = map[string]string{"PreloadDataType": "SYNTHEA"}
	}
	var made client.Datastore
	if err := v.s.api.HealthLake(v.r.Context(), "CreateFHIRDatastore", in, &made); err != nil {
		if sessionOver(err) {
			return err
		}
		return refuse(statusOf(err), problemOf(err))
	}
	return v.redirect("/console/datastores/" + made.DatastoreId + "?created=1")
}
