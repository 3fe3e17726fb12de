package control

// describeFHIRDatastore implements DescribeFHIRDatastore; a deleted data store is still described, since clients wait
// for that state.
func (f *Face) describeFHIRDatastore(r *request) (any, error) {
	id := r.in.text("DatastoreId")
	if err := f.authorize(r, id); err != nil {
		return nil, err
	}
	d, err := f.Datastores.Describe(r, id)
	if err != nil {
		return nil, err
	}
	return struct{ DatastoreProperties datastoreProperties }{propertiesOf(d)}, nil
}
