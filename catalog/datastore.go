package catalog

import (
	"encoding/json"
	"maps"
	"time"

	"tarn/fault"
)

// Status is HealthLake's DatastoreStatus.
type Status string

// The states of a data store.
const (
	Creating     Status = "CREATING"
	Active       Status = "ACTIVE"
	Deleting     Status = "DELETING"
	Deleted      Status = "DELETED"
	CreateFailed Status = "CREATE_FAILED"
)

// Datastore is a data store as the catalog knows it.
type Datastore struct {
	ID          string // 32 lowercase hex digits
	ARN         string
	Name        string // may be empty; need not be unique
	Status      Status
	TypeVersion string // R4
	Endpoint    string
	CreatedAt   time.Time // ms precision, UTC
	Encryption  Encryption
	Preload     string // SYNTHEA or empty
	Identity    Identity
	Cause       *Cause // why it is CREATE_FAILED; else nil
	Tags        map[string]string
}

// Encryption says which key protects a data store at rest.
type Encryption struct {
	CMKType  string // AWS_OWNED_KMS_KEY: no key of the customer's (docs/security.md tells what protects the data)
	KMSKeyID string
}

// Identity says how callers of a data store are known.
type Identity struct {
	Strategy    string // AWS_AUTH
	FineGrained bool
	Metadata    string
	LambdaARN   string
}

// Cause is why a creation failed.
type Cause struct {
	Message   string
	Retryable bool
}

// The values of the closed lists that this server offers.
const (
	R4          = "R4"
	Synthea     = "SYNTHEA"
	AWSOwnedKey = "AWS_OWNED_KMS_KEY"
	CustomerKey = "CUSTOMER_MANAGED_KMS_KEY"
	AWSAuth     = "AWS_AUTH"
)

// format is the number that every row carries.
const format = 1

func rowKey(id string) []byte      { return []byte("catalog/d/" + id) }
func tokenKey(token string) []byte { return []byte("catalog/t/" + token) }
func indexPrefix() []byte          { return []byte("catalog/i/") }

// row is a data store's form on disk. ARN and endpoint are made when it is read: they follow the configuration.
type row struct {
	Format      int               `json:"v"`
	ID          string            `json:"id"`
	Name        string            `json:"name,omitempty"`
	Status      Status            `json:"status"`
	TypeVersion string            `json:"typeVersion"`
	Created     int64             `json:"created"` // ms since 1970
	CMKType     string            `json:"cmkType"`
	KMSKeyID    string            `json:"kmsKeyId,omitempty"`
	Preload     string            `json:"preload,omitempty"`
	Strategy    string            `json:"strategy"`
	FineGrained bool              `json:"fineGrained,omitempty"`
	Metadata    string            `json:"metadata,omitempty"`
	LambdaARN   string            `json:"lambdaArn,omitempty"`
	Cause       string            `json:"cause,omitempty"`
	Retryable   bool              `json:"retryable,omitempty"`
	Tags        map[string]string `json:"tags,omitempty"`
}

func (c *Catalog) datastore(r *row) Datastore {
	d := Datastore{ID: r.ID, ARN: c.ARN(r.ID), Name: r.Name, Status: r.Status, TypeVersion: r.TypeVersion,
		Endpoint: c.Endpoint(r.ID), CreatedAt: time.UnixMilli(r.Created).UTC(),
		Encryption: Encryption{r.CMKType, r.KMSKeyID}, Preload: r.Preload,
		Identity: Identity{r.Strategy, r.FineGrained, r.Metadata, r.LambdaARN}, Tags: maps.Clone(r.Tags)}
	if r.Cause != "" {
		d.Cause = &Cause{r.Cause, r.Retryable}
	}
	return d
}

// token remembers an idempotent creation.
type token struct {
	Format      int    `json:"v"`
	ID          string `json:"id"`
	Fingerprint string `json:"fingerprint"`
}

func encode(v any) []byte {
	data, err := json.Marshal(v)
	if err != nil { // the row types above cannot fail
		return nil
	}
	return data
}

func decode(data []byte, v any, format1 *int, what string) error {
	if err := json.Unmarshal(data, v); err != nil {
		return fault.Errorf(fault.Internal, "catalog", "%s is damaged: %w", what, err)
	}
	if *format1 != format {
		return fault.Errorf(fault.Internal, "catalog", "%s has format %d; this program knows format %d", what, *format1, format)
	}
	return nil
}

func decodeRow(data []byte, id string) (*row, error) {
	if data == nil {
		return nil, notFound(id)
	}
	r := new(row)
	return r, decode(data, r, &r.Format, "the row of data store "+id)
}

func notFound(id string) error {
	if len(id) > 64 {
		id = id[:64]
	}
	return fault.Errorf(fault.NotFound, "catalog", "There is no data store %q.", id)
}
