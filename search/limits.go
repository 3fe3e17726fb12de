package search

// Limits of one search; what is over them is refused with a sentence that names the parameter. docs/search.md lists
// them.
const (
	MaxQuery      = 16 << 10 // bytes of the parameters in a URL
	MaxForm       = 64 << 10 // bytes of the parameters in the body of a POST
	MaxParameters = 100      // parameters of one search, repeated ones counted each
	MaxValues     = 500      // values of one parameter, which are OR-ed by commas
	MaxChain      = 5        // parameters in one chain, reverse ones (_has) counted too
	MaxSort       = 5        // keys of _sort
	MaxIncludes   = 50       // _include and _revinclude of one search
	MaxRounds     = 10       // rounds of :iterate
	MaxIncluded   = 5_000    // resources that are included in one page
	MaxCount      = 1_000    // resources that match on one page
	DefaultCount  = 10
)

// Bounds of the work that goes into finding a good plan; none of them is seen from outside. The comments tell what they
// cost at about 0.4 microseconds for an index entry and 4 for the entries of a resource.
const (
	patience     = 256   // candidates that are probed before a second look at the plan: 1 ms
	longPatience = 8_192 // and before a third: 30 ms
	maxStreams   = 32    // walks over the index that are merged: 0.3 ms to open them
	rangeCap     = 8_192 // entries of a range that drive; a longer one is probed: 3 ms
	innerCap     = 256   // resources at the far end of a chain that drive: 1 ms
	reverseCap   = 512   // resources that _has begins from: 4 ms
	innerTries   = 2_000 // candidates that are probed for the far end of a chain: 8 ms
	leastBatch   = 16
	mostBatch    = 256
)
