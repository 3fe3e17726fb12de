package job

// State is HealthLake's JobStatus.
type State string

// The ten states. docs/job-states.md draws the transitions.
const (
	Submitted           State = "SUBMITTED"             // accepted, not claimed yet
	Queued              State = "QUEUED"                // waits behind another job
	InProgress          State = "IN_PROGRESS"           // claimed; stays so through a restart
	Completed           State = "COMPLETED"             // all done
	CompletedWithErrors State = "COMPLETED_WITH_ERRORS" // done, but not everything that was asked for was good
	Failed              State = "FAILED"                // will not be done; Message says why
	CancelSubmitted     State = "CANCEL_SUBMITTED"      // a cancel was accepted
	CancelInProgress    State = "CANCEL_IN_PROGRESS"    // the work has stopped and is tidied up
	CancelCompleted     State = "CANCEL_COMPLETED"      // cancelled
	CancelFailed        State = "CANCEL_FAILED"         // stopped, but tidying up failed; Message says why
)

// States lists all of them in the order of a job's life.
func States() []State {
	return []State{Submitted, Queued, InProgress, Completed, CompletedWithErrors, Failed, CancelSubmitted,
		CancelInProgress, CancelCompleted, CancelFailed}
}

// Terminal reports whether a job in that state has ended.
func (s State) Terminal() bool {
	switch s {
	case Completed, CompletedWithErrors, Failed, CancelCompleted, CancelFailed:
		return true
	}
	return false
}

// Waiting reports whether the job has not been claimed yet and nobody has cancelled it.
func (s State) Waiting() bool { return s == Submitted || s == Queued }

// Cancelling reports whether a cancel was accepted and has not ended yet.
func (s State) Cancelling() bool { return s == CancelSubmitted || s == CancelInProgress }
