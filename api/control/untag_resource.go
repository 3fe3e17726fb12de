package control

import (
	"tarn/access"
	"tarn/api/edge"
)

// untagResource implements UntagResource.
func (f *Face) untagResource(r *request) (any, error) {
	keys := r.in.texts("TagKeys")
	var facts []edge.Fact
	if len(keys) > 0 {
		facts = append(facts, edge.Fact{Key: access.KeyTagKeys, Values: keys})
	}
	id, err := f.tagged(r, facts...)
	if err != nil {
		return nil, err
	}
	return struct{}{}, f.Datastores.Untag(r, id, keys)
}
