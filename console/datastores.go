package console

import (
	"slices"
	"strings"

	"tarn/api/client"
)

const deleted = "DELETED"

type datastoresData struct {
	List    []client.Datastore // newest first
	Deleted int                // that are not shown, or are
	All     bool               // deleted ones are shown
	Running bool               // one is being made or deleted
	Gone    string             // the name of one that has just been deleted
}

// listDatastores shows all data stores.
func (c *Console) listDatastores(v *visit) error {
	all, err := v.s.api.ListDatastores(v.r.Context())
	if err != nil {
		return err
	}
	q := v.r.URL.Query()
	d := datastoresData{All: q.Get("deleted") != "", Gone: q.Get("gone")}
	for _, one := range all {
		if one.DatastoreStatus == deleted {
			d.Deleted++
			if !d.All {
				continue
			}
		}
		d.Running = d.Running || inTransition(one.DatastoreStatus)
		d.List = append(d.List, one)
	}
	slices.SortStableFunc(d.List, func(a, b client.Datastore) int {
		if by := b.CreatedAt.Time().Compare(a.CreatedAt.Time()); by != 0 {
			return by
		}
		return strings.Compare(a.DatastoreId, b.DatastoreId)
	})
	return v.page("datastores", "datastores", "Data stores", d)
}

// inTransition reports whether a data store's status changes by itself.
func inTransition(status string) bool {
	return status == "CREATING" || status == "DELETING" || status == "UPDATING"
}

// label is how a data store is called: by its name, or by its id where it has none.
func label(d client.Datastore) string {
	if d.DatastoreName != "" {
		return d.DatastoreName
	}
	return d.DatastoreId
}
