package export

import (
	"encoding/json"
	"slices"
	"strings"

	"tarn/fault"
	"tarn/store"
)

// ManifestName is the object in a job's folder that is written last. A folder without it is no export.
const ManifestName = "manifest.json"

// Manifest says what an export holds; `tarn verify` and anyone else can prove the files against it.
type Manifest struct {
	Format          int         `json:"format"` // 1
	JobID           string      `json:"jobId"`
	DatastoreID     string      `json:"datastoreId"`
	TxID            store.TxID  `json:"txId"`            // the transaction that the export is fixed to
	TransactionTime string      `json:"transactionTime"` // instant of that; nothing changes at or before it any more
	KMSKeyID        string      `json:"kmsKeyId"`        // ARN of the key that seals the files
	Count           int         `json:"count"`           // resources in all
	Bytes           int64       `json:"bytes"`
	Types           []TypeTotal `json:"types"`
	Output          []File      `json:"output"` // in the order of types, parts and files
	// Deleted are the files that tell what was deleted after Selection.Since: their lines are Bundles of type transaction
	// that would delete it. Count is their lines; Count and Bytes of the manifest leave them out.
	Deleted []File `json:"deleted,omitempty"`
	// Error are the files of OperationOutcomes about what was asked for and passed over.
	Error     []File     `json:"error,omitempty"`
	Selection *Selection `json:"selection,omitempty"` // what was asked for; absent: everything
	// OrganizedBy is ByPatient where the files of Output hold blocks: each begins with a Parameters resource that names
	// its patient. A resource of several patients stands, and counts, in the block of each. There are no Types then.
	OrganizedBy string `json:"organizedBy,omitempty"`
}

// TypeTotal is the sum over the files of one resource type.
type TypeTotal struct {
	Type  string `json:"type"`
	Files int    `json:"files"`
	Count int    `json:"count"`
	Bytes int64  `json:"bytes"`
}

// all are the files of all lists.
func (m *Manifest) all() []File { return slices.Concat(m.Output, m.Deleted, m.Error) }

// newManifest sums up; files are in the order of the plan.
func newManifest(jobID string, j Job, files []File) Manifest {
	m := Manifest{Format: 1, JobID: jobID, DatastoreID: j.Datastore, TxID: j.TxID, TransactionTime: j.TransactionTime.String(),
		KMSKeyID: j.KeyARN, Types: []TypeTotal{}}
	m.Output = []File{}
	for _, f := range files {
		switch folder, _, _ := strings.Cut(f.Name, "/"); folder {
		case DeletedFolder:
			m.Deleted = append(m.Deleted, f)
		case ErrorFolder:
			m.Error = append(m.Error, f)
		default:
			m.Output = append(m.Output, f)
		}
	}
	if !j.Selection.isZero() {
		m.Selection, m.OrganizedBy = &j.Selection, j.Selection.Organize
	}
	for _, f := range m.Output {
		m.Count += f.resources()
		m.Bytes += f.Bytes
		if f.Type == "" {
			continue
		}
		last := len(m.Types) - 1
		if last < 0 || m.Types[last].Type != f.Type {
			m.Types = append(m.Types, TypeTotal{Type: f.Type})
			last++
		}
		t := &m.Types[last]
		t.Files, t.Count, t.Bytes = t.Files+1, t.Count+f.Count, t.Bytes+f.Bytes
	}
	return m
}

// marshal is the manifest's bytes: indented, since people read it too.
func (m Manifest) marshal() ([]byte, error) {
	b, err := json.MarshalIndent(m, "", " ")
	return append(b, '\n'), err
}

// ParseManifest reads a manifest.
func ParseManifest(b []byte) (Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(b, &m); err != nil {
		return m, fault.Errorf(fault.Invalid, "export", "%s is no JSON of an export: %v", ManifestName, err)
	}
	if m.Format != 1 {
		return m, fault.Errorf(fault.Unsupported, "export", "%s is of format %d; this release knows format 1", ManifestName, m.Format)
	}
	return m, nil
}
