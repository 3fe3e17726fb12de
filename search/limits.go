package search

import "time"

// Limits of one search; what is over them is refused with a sentence that names the parameter. docs/search.md lists
// them.
const (
	MaxQuery      = 16 << 10 // bytes of the parameters in a URL
	MaxForm       = 64 << 10 // bytes of the parameters in the body of a POST
	MaxParameters = 100      // parameters of one search, repeated ones counted each
	MaxValues     = 500      // values of one parameter, which are OR-ed by commas
	MaxChain      = 5        // parameters in one chain, reverse ones (_has) counted too
	MaxSteps      = 40       // steps of all chains of a search together
	MaxSort       = 5        // keys of _sort
	MaxIncludes   = 50       // _include and _revinclude of one search
	MaxRounds     = 10       // rounds of :iterate
	MaxIncluded   = 5_000    // resources that are included in one page
	MaxCount      = 1_000    // resources that match on one page
	DefaultCount  = 10
)

const (
	DefaultTime  = 30 * time.Second // how long a search may take
	CriteriaTime = 10 * time.Second // and the criteria of a conditional interaction at most, since others wait meanwhile
)

// mostBatch is how many resources are looked at in one round trip.
const mostBatch = 256

// tuning bounds the work that goes into finding a good plan; none of it is seen from outside. The comments tell what
// that costs at about 0.4 microseconds for an index entry and 4 for the entries of a resource.
type tuning struct {
	patience     int // candidates that are probed before a second look at the plan: 0.3 ms
	longPatience int // and before a third: 30 ms
	streams      int // walks over the index that are merged: 0.3 ms to open them
	values       int // values in ranges that are made lists: 50 us to find them
	rangeCap     int // entries of a range that drive; a longer one is probed: 3 ms
	innerCap     int // resources at the far end of a chain that drive: 1 ms
	reverseCap   int // resources that _has begins from: 5 ms
	wholeShare   int // percent of what it costs to find all that match a chain or _has, after which that is done
	columnShare  int // percent of a step for each resource of a type that may be done for want of a column before it is made
	innerWork    int // steps that are taken to find the resources at the far end of a chain: 6 ms
	leastBatch   int // candidates of the first round trip
	mostBatch    int // and of the largest
	smallSort    int // matches that are sorted in memory whatever else could be done: 0.6 ms for their entries
	countCap     int // matches that are looked for before they are sorted: 1 ms
	smallWork    int // steps that are taken to find all matches before they are sorted: 3 ms
	groupCap     int // entries with one sort key that are sorted in memory
	memberCap    int // candidates that are kept in memory so that others need not be probed: 3 ms
	estimate     int // candidates of a type that are counted before the rest is estimated
}

var tuned = tuning{patience: 64, longPatience: 8_192, streams: 32, values: 8, rangeCap: 8_192, innerCap: 256, reverseCap: 1_024, wholeShare: 100, columnShare: 10, innerWork: 30_000,
	leastBatch: 16, mostBatch: mostBatch, smallSort: 64, countCap: 4_096, smallWork: 12_000, groupCap: 2_048, memberCap: 8_192, estimate: 8_192}
