package job

import (
	"encoding/json"
	"time"

	"tarn/kv"
)

// Kind names what a job does: "export", "import", ... The ledger attaches no meaning to it. 1 to 32 of a-z and '-'.
type Kind string

// Record is a job as the ledger knows it at one moment.
type Record struct {
	ID        string // 32 lowercase hex digits
	Datastore string // id of the data store it belongs to
	Kind      Kind
	Name      string          // given by the user, or empty
	State     State           //
	Params    json.RawMessage // fixed when the job was queued
	Planned   bool            // a plan has been set
	Progress  Progress
	Pace      Pace   // zero while nobody works on it
	Message   string // why it failed, what it waits for, or what else a user should know; at most MaxMessage runes

	// The times have ms precision and are in UTC. Lists are in the order of SubmitTime, so that is never before that of a job
	// with a smaller Seq: where the clock was ahead once, it stands still until the clock has come there. The others are the
	// clock's, and may then be before it.
	SubmitTime time.Time
	StartTime  time.Time // of the first claim; zero before
	EndTime    time.Time // zero until the state is terminal; never before StartTime

	Seq         uint64 // place in the order of all jobs of the ledger
	ClientToken string
	Term, Beat  uint64    // the lease; 0 before the first claim
	Owner       string    // who holds the lease; empty when nobody does
	Discarded   time.Time // when its results were given up by their owner; zero: they were not
}

// Progress counts what a job has done. All of it only grows, and only together with the checkpoint of what it counts.
type Progress struct {
	PartsDone      int64 `json:"partsDone,omitempty"`
	PartsTotal     int64 `json:"partsTotal,omitempty"`
	Resources      int64 `json:"resources,omitempty"`      // written, or imported
	ResourcesTotal int64 `json:"resourcesTotal,omitempty"` // to do, or scanned so far
	Bytes          int64 `json:"bytes,omitempty"`
	BytesTotal     int64 `json:"bytesTotal,omitempty"`
	Files          int64 `json:"files,omitempty"`
	FilesTotal     int64 `json:"filesTotal,omitempty"`
	Failed         int64 `json:"failed,omitempty"`      // resources refused for what they are
	FilesFailed    int64 `json:"filesFailed,omitempty"` // files that could not be read
	SourceBytes    int64 `json:"sourceBytes,omitempty"` // of the files to read, as they lie there, packed or not
}

// Add is the sum of both.
func (p Progress) Add(q Progress) Progress {
	p.PartsDone += q.PartsDone
	p.PartsTotal += q.PartsTotal
	p.Resources += q.Resources
	p.ResourcesTotal += q.ResourcesTotal
	p.Bytes += q.Bytes
	p.BytesTotal += q.BytesTotal
	p.Files += q.Files
	p.FilesTotal += q.FilesTotal
	p.Failed += q.Failed
	p.FilesFailed += q.FilesFailed
	p.SourceBytes += q.SourceBytes
	return p
}

// New is a job to be queued.
type New struct {
	ID        string // 32 lowercase hex digits; empty: the ledger chooses
	Kind      Kind
	Datastore string // 32 lowercase hex digits
	Name      string // at most 256 bytes
	Params    json.RawMessage
	// ClientToken makes the call idempotent within its kind: the same token with the same Fingerprint and data store
	// gives the same job, with anything else fault.Invalid. Empty: every call makes a job. At most 128 bytes.
	ClientToken string
	Fingerprint string // of everything that the caller asked for; at most 128 bytes
	// Again lets a job of that token that ended otherwise than well be followed by a new one; otherwise the token gives
	// that job for ever.
	Again bool
	// MaxWaiting is how many jobs of this queue may wait behind the running one; 0 means DefaultMaxWaiting.
	MaxWaiting int
}

// Bounds of a job; what is over them is refused before anything is written.
const (
	DefaultMaxWaiting = 25          // HealthLake's queue of jobs per data store
	MaxParams         = kv.MaxValue // bytes of New.Params: they are one value
	MaxMessage        = 2048        // runes of Record.Message; longer ones are cut
	MaxCheckpointKey  = 512         // bytes
)
