package control

import (
	"tarn/api/edge"
	"tarn/fault"
)

// tagResource implements TagResource.
func (f *Face) tagResource(r *request) (any, error) {
	tags, err := r.in.tags("Tags")
	if err != nil {
		return nil, err
	}
	id, err := f.tagged(r, edge.RequestTags(tags)...)
	if err != nil {
		return nil, err
	}
	return struct{}{}, f.Datastores.Tag(r, id, tags)
}

// tagged is the id of the data store that ResourceARN names, once the caller may do the action to it. An ARN of another
// account or Region is judged too, and is then not found.
func (f *Face) tagged(r *request, facts ...edge.Fact) (string, error) {
	arn := r.in.text("ResourceARN")
	id, ours := f.Datastores.IDFromARN(arn)
	if !ours {
		if err := r.call.Authorize(r.route.iamAction, arn, facts...); err != nil {
			return "", err
		}
		return "", fault.Errorf(fault.NotFound, "control", "There is no data store %s.", quote(arn))
	}
	return id, f.authorize(r, id, facts...)
}
