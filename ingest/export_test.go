package ingest

// FailureTextForTest is the line of a failure log for an error.
func FailureTextForTest(line int64, err error) []byte { return failureOf(line, err).text }
