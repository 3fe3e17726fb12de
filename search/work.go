package search

import "tarn/store"

// The work of a search is counted in steps, so that ways to answer it can be compared, and that the parameter which costs
// most can be named. A step is one entry of the index read behind another, about 0.2 microseconds; the other costs are
// what was measured in steps.
const (
	costSeek   = 8  // a search within the index
	costOpen   = 16 // the begin of a walk over it
	costHeader = 8  // the row of a resource
	costLookUp = 8  // the ordinal of an id
	costRow    = 5  // the entries of a resource that stands near the one read before
	costFar    = 40 // and of one that does not
)

// farApart is from what distance on two resources are not likely to stand in one block.
const farApart = 64

// costOfRows is the cost of reading the entries of resources, in the order of ordinals.
func costOfRows(ordinals []store.Ordinal) int {
	if len(ordinals) == 0 {
		return 0
	}
	return costRow*len(ordinals) + (costFar-costRow)*runs(ordinals)
}

// runs are how many groups of neighbours there are.
func runs(ordinals []store.Ordinal) int {
	n := 0
	for i, o := range ordinals {
		if i == 0 || o-ordinals[i-1] >= farApart {
			n++
		}
	}
	return n
}

// charge counts work since before for a parameter, if it is one of the search and not of a chain within it.
func (r *run) charge(param string, before int) {
	if r.depth <= 1 {
		r.cost[param] += r.work - before
	}
}

// costliest is the parameter that cost most, or empty.
func (r *run) costliest() (name string) {
	if r == nil {
		return ""
	}
	for param, cost := range r.cost {
		if cost > r.cost[name] || cost == r.cost[name] && param < name {
			name = param
		}
	}
	return name
}
