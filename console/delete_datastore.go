package console

import (
	"net/http"
	"net/url"
	"strings"

	"tarn/api/client"
)

type deleteDatastoreData struct {
	client.Datastore
	Label   string // what has to be typed
	Typed   string
	Problem *Problem
}

// deleteDatastorePage asks whoever wants to delete a data store to type its name.
func (c *Console) deleteDatastorePage(v *visit) error {
	d, err := v.s.api.DescribeDatastore(v.r.Context(), v.r.PathValue("id"))
	if err != nil {
		return err
	}
	return v.page("delete_datastore", "datastores", "Delete data store", deleteDatastoreData{Datastore: d, Label: label(d)})
}

// deleteDatastore deletes a data store whose name was typed.
func (c *Console) deleteDatastore(v *visit) error {
	ctx := v.r.Context()
	found, err := v.s.api.DescribeDatastore(ctx, v.r.PathValue("id"))
	if err != nil {
		return err
	}
	d := deleteDatastoreData{Datastore: found, Label: label(found), Typed: strings.TrimSpace(v.r.PostForm.Get("name"))}
	refuse := func(status int, p Problem) error {
		d.Problem = &p
		return v.show(status, "delete_datastore", frame{Title: "Delete data store", Nav: "datastores", Data: d})
	}
	if d.Typed != strings.TrimSpace(d.Label) {
		return refuse(http.StatusBadRequest, Problem{Text: "That is not the name of this data store, so nothing was deleted."})
	}
	if err := v.s.api.HealthLake(ctx, "DeleteFHIRDatastore", map[string]string{"DatastoreId": found.DatastoreId}, nil); err != nil {
		if sessionOver(err) {
			return err
		}
		return refuse(statusOf(err), problemOf(err))
	}
	return v.redirect("/console/datastores?gone=" + url.QueryEscape(d.Label))
}
