package control

import (
	"tarn/catalog"
	"tarn/fault"
	"tarn/job"
)

// starter begins the Start actions in the order that clients rely on: the data store is looked up first, and nothing
// else is said if it is not there; then what the caller may do, and nothing more; then its state. The rest (role,
// bucket, key, queue) is the service's.
func (f *Face) starter(r *request) (catalog.Datastore, error) {
	d, err := f.Datastores.Describe(r, r.in.text("DatastoreId"))
	if err == nil && d.Status == catalog.Deleted {
		err = fault.Errorf(fault.Gone, "control", "Data store %s has been deleted.", d.ID)
	}
	if err != nil {
		return d, err
	}
	if err := f.authorize(r, d.ID); err != nil {
		return d, err
	}
	if err := r.call.PassRole(r.in.text("DataAccessRoleArn"), principal); err != nil {
		return d, err
	}
	if d.Status != catalog.Active {
		return d, fault.Errorf(fault.Invalid, "control", "Data store %s is %s; a job needs it to be ACTIVE.", d.ID, d.Status)
	}
	return d, nil
}

// started answers a Start action. A repeated call with a ClientToken tells the state that its job has reached.
func started(rec job.Record) startOutput {
	return startOutput{rec.ID, string(rec.State), rec.Datastore}
}
