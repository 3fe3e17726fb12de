package export

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"tarn/fhir"
)

// ignoredFile is the file that tells what was asked for and passed over, one OperationOutcome a line; nil where that is
// nothing.
func ignoredFile(j Job, number uint64) ([]byte, File) {
	if len(j.Ignored) == 0 {
		return nil, File{}
	}
	var body []byte
	for _, sentence := range j.Ignored {
		body = fhir.Outcome{Issues: []fhir.Issue{{Severity: fhir.SeverityWarning, Code: "not-supported", Diagnostics: sentence}}}.AppendJSON(body)
		body = append(body, '\n')
	}
	sum := sha256.Sum256(body)
	return body, File{Type: "OperationOutcome", Name: fmt.Sprintf("%s/OperationOutcome-%d-0-0.ndjson", ErrorFolder, number),
		Count: len(j.Ignored), Bytes: int64(len(body)), SHA256: hex.EncodeToString(sum[:])}
}
