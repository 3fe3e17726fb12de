package bulk

import (
	"strings"

	"tarn/api/edge"
	"tarn/export"
	"tarn/fhir/r4"
)

// permitted are the types of resource for which the caller may do the action (condition key tarn:ResourceType); an error
// where that is none.
func permitted(call *edge.DatastoreCall, action string) (types []string, err error) {
	for _, name := range r4.Types() {
		refused := call.Authorize(action, edge.ResourceType(name))
		if refused == nil {
			types = append(types, name)
		} else if err == nil {
			err = refused
		}
	}
	if types != nil {
		err = nil
	}
	return types, err
}

// authorizeFile says whether the caller may have a file of an export: whoever may not have resources of each type that it
// holds, or tells the deletion of, may not.
func (f *Face) authorizeFile(call *edge.DatastoreCall, name string, job func() (export.Job, error)) error {
	folder, rest, _ := strings.Cut(name, "/")
	switch folder {
	case export.DeletedFolder:
		folder, _, _ = strings.Cut(rest, "/")
	case export.ErrorFolder:
		folder = "OperationOutcome"
	case export.BlocksFolder:
		if _, err := permitted(call, ActionFile); err != nil { // nothing is said of a job to who may have nothing of it
			return err
		}
		j, err := job()
		if err != nil {
			return err
		}
		types := j.Selection.Types
		if len(types) == 0 {
			types = r4.Types()
		}
		for _, t := range types {
			if err := call.Authorize(ActionFile, edge.ResourceType(t)); err != nil {
				return err
			}
		}
		return nil
	}
	return call.Authorize(ActionFile, edge.ResourceType(folder))
}
