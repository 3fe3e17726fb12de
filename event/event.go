// Package event tells others of what happened: each new state of a job or a data store becomes a CloudEvent
// (https://cloudevents.io, version 1.0) that is kept in the same commit as the state, and is sent to a webhook until the
// webhook has taken it. So no state is told that is not durable, and none that is goes untold: at least once each, the
// events of one job or data store in their order.
//
// The data of an event is what AWS HealthLake gives to Amazon EventBridge: source, detail-type, resources, detail.
package event

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"tarn/fault"
	"tarn/job"
)

// Event is one CloudEvent in its JSON form.
type Event struct {
	SpecVersion     string    `json:"specversion"` // 1.0
	ID              string    `json:"id"`          // the same for the same state of the same thing, so that a repeat is known
	Source          string    `json:"source"`      // ARN of the data store
	Type            string    `json:"type"`        // aws.healthlake.ExportJobCompleted
	Subject         string    `json:"subject"`     // id of the job or the data store
	Time            time.Time `json:"time"`
	DataContentType string    `json:"datacontenttype"`
	Data            Envelope  `json:"data"`
}

// Envelope is the event as Amazon EventBridge would carry it.
type Envelope struct {
	Version    string    `json:"version"` // 0
	ID         string    `json:"id"`
	DetailType string    `json:"detail-type"` // Export Job Completed
	Source     string    `json:"source"`      // aws.healthlake
	Account    string    `json:"account"`
	Time       time.Time `json:"time"`
	Region     string    `json:"region"`
	Resources  []string  `json:"resources"`
	Detail     Detail    `json:"detail"`
}

// Detail is what HealthLake says of the job or the data store.
type Detail struct {
	JobID        string        `json:"jobId,omitempty"`
	JobName      string        `json:"jobName,omitempty"`
	JobStatus    job.State     `json:"jobStatus,omitempty"`
	Message      string        `json:"message,omitempty"`
	SubmitTime   *time.Time    `json:"submitTime,omitempty"`
	EndTime      *time.Time    `json:"endTime,omitempty"`
	DatastoreID  string        `json:"datastoreId"`
	Status       string        `json:"datastoreStatus,omitempty"`
	OutputConfig *OutputConfig `json:"outputDataConfig,omitempty"`
}

// OutputConfig is where a job writes.
type OutputConfig struct {
	S3URI string `json:"s3Uri"`
}

// Origin is the server that events come from.
type Origin struct{ Account, Region string }

// OfJob is the event of a job's state as of the time. kind is Export or Import; arn is that of the data store, output
// the S3Uri of the job's folder.
func (o Origin) OfJob(rec job.Record, kind, arn, output string, at time.Time) Event {
	detail := Detail{JobID: rec.ID, JobName: rec.Name, JobStatus: rec.State, Message: rec.Message, DatastoreID: rec.Datastore,
		SubmitTime: &rec.SubmitTime}
	if !rec.EndTime.IsZero() {
		detail.EndTime = &rec.EndTime
	}
	if output != "" {
		detail.OutputConfig = &OutputConfig{output}
	}
	return o.event(kind+" Job "+title(string(rec.State)), rec.ID, arn, at, detail)
}

// datastoreStates are HealthLake's words for the states of a data store.
var datastoreStates = map[string]string{"CREATE_FAILED": "Creation Failed"}

// OfDatastore is the event of a data store's status as of the time.
func (o Origin) OfDatastore(id, arn, status string, at time.Time) Event {
	state, ok := datastoreStates[status]
	if !ok {
		state = title(status)
	}
	return o.event("Data Store "+state, id, arn, at, Detail{DatastoreID: id, Status: status})
}

func (o Origin) event(detailType, subject, arn string, at time.Time, detail Detail) Event {
	at = at.UTC().Truncate(time.Millisecond)
	id := subject + "-" + strings.ToLower(strings.ReplaceAll(detailType, " ", "-"))
	return Event{SpecVersion: "1.0", ID: id, Source: arn, Type: "aws.healthlake." + strings.ReplaceAll(detailType, " ", ""), Subject: subject,
		Time: at, DataContentType: "application/json", Data: Envelope{Version: "0", ID: id, DetailType: detailType, Source: "aws.healthlake",
			Account: o.Account, Time: at, Region: o.Region, Resources: []string{arn}, Detail: detail}}
}

// title is In Progress of IN_PROGRESS.
func title(state string) string {
	words := strings.Split(strings.ToLower(state), "_")
	for i, w := range words {
		if w != "" {
			words[i] = strings.ToUpper(w[:1]) + w[1:]
		}
	}
	return strings.Join(words, " ")
}

func (e Event) marshal() ([]byte, error) {
	b, err := json.Marshal(e)
	if err != nil {
		return nil, fault.Errorf(fault.Internal, "event", "%s: %w", e.ID, err)
	}
	return b, nil
}

// key orders events by time; no two have the same.
func (e Event) key() []byte {
	return fmt.Appendf(nil, "event/o/%016x/%s", e.Time.UnixMilli(), e.Subject)
}
