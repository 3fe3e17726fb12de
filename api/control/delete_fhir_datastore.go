package control

// deleteFHIRDatastore implements DeleteFHIRDatastore.
func (f *Face) deleteFHIRDatastore(r *request) (any, error) {
	id := r.in.text("DatastoreId")
	if err := f.authorize(r, id); err != nil {
		return nil, err
	}
	d, err := f.Datastores.Delete(r, id)
	if err != nil {
		return nil, err
	}
	return outputOf(d, d.Status), nil
}
