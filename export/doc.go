package export

// The rule that makes bytes repeatable
//
// A part's bytes are a function of (job record, plan entry, store.At(T)) alone:
//
//	start    the job record copies all that matters: T, transactionTime, destination, limits, format number
//	plan     as of T: each resource type cut into ordinal ranges of at most MaxLines live resources; stored
//	         before the first part
//	part k   scan of its range as of T -> files cut by lines and bytes -> one PutObject each -> checkpoint
//	last     manifest.json, then COMPLETED; a folder without manifest is no export
//
// So a job that was killed goes on behind its last checkpoint, and a part that is done twice puts the same bytes under
// the same names. plan.go and part.go therefore import neither time nor randomness nor the operating system and range
// over no map (arch_test.go).
