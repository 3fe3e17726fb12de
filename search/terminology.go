package search

import (
	"tarn/fault"
	"tarn/fhir/index"
)

// terminology resolves value sets and code systems that are stored in the data store.
type terminology struct{ r *run }

func (t terminology) ValueSet(url string) ([]index.Coding, error) {
	return nil, fault.Errorf(fault.Invalid, "search", "the value set %s is not known here", clip(url))
}

func (t terminology) Below(of index.Coding) ([]index.Coding, error) {
	return nil, fault.Errorf(fault.Invalid, "search", "the code system %s is not known here", clip(of.System))
}

func (t terminology) Above(of index.Coding) ([]index.Coding, error) {
	return nil, fault.Errorf(fault.Invalid, "search", "the code system %s is not known here", clip(of.System))
}
