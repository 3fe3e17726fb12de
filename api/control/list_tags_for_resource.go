package control

// listTagsForResource implements ListTagsForResource.
func (f *Face) listTagsForResource(r *request) (any, error) {
	id, err := f.tagged(r)
	if err != nil {
		return nil, err
	}
	tags, err := f.Datastores.Tags(r, id)
	if err != nil {
		return nil, err
	}
	return struct{ Tags []tag }{tagsOf(tags)}, nil
}
