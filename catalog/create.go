package catalog

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"tarn/fault"
	"tarn/kv"
)

// CreateRequest asks for a data store. Empty members mean HealthLake's defaults.
type CreateRequest struct {
	Name        string
	TypeVersion string // R4; required
	Encryption  Encryption
	Preload     string // SYNTHEA or empty
	Identity    Identity
	Tags        map[string]string
	// ClientToken makes the call idempotent: the same token with the same request gives the same data store, with
	// another request fault.Invalid. Empty: every call makes one. At most 128 bytes.
	ClientToken string
}

// Create makes a data store and returns it as CREATING. Without a preload it is ACTIVE when Create returns; with one
// when its job has ended. What this server does not offer (a customer's key, SMART on FHIR) is fault.Invalid with a
// sentence that says so. What a stopped process leaves halfway is finished by Recover, or by the same call again; what a
// passing failure does, for which the error is fault.Unavailable, by RecoverNowAndThen too.
func (c *Catalog) Create(ctx context.Context, q CreateRequest) (Datastore, error) {
	const op = "catalog.Create"
	if err := q.check(); err != nil {
		return Datastore{}, err
	}
	if q.Preload != "" && c.o.Enqueue == nil {
		return Datastore{}, fault.Errorf(fault.Unsupported, op, "This server does not preload data.")
	}
	var raw [16]byte
	if _, err := rand.Read(raw[:]); err != nil {
		return Datastore{}, fault.Errorf(fault.Unavailable, op, "no random numbers: %w", err)
	}
	r := &row{Format: format, ID: hex.EncodeToString(raw[:]), Name: q.Name, Status: Creating, TypeVersion: q.TypeVersion,
		Created: c.o.Now().UnixMilli(), CMKType: AWSOwnedKey, Preload: q.Preload, Strategy: AWSAuth, Tags: q.Tags}
	lock := [][]byte{rowKey(r.ID)}
	if q.ClientToken != "" {
		lock = append(lock, tokenKey(q.ClientToken))
	}
	fresh := true
	err := c.system.Update(ctx, lock, func(tx kv.Locked) (*kv.Batch, error) {
		b := new(kv.Batch)
		if q.ClientToken != "" {
			if data := tx.Values[1]; data != nil {
				var t token
				if err := decode(data, &t, &t.Format, "a client token"); err != nil {
					return nil, err
				}
				if t.Fingerprint != q.fingerprint() {
					return nil, fault.WithHint(
						fault.Errorf(fault.Invalid, op, "ClientToken was used before to create data store %s with other parameters.", t.ID),
						"Use a new token for a new data store.")
				}
				got, err := tx.Get(ctx, rowKey(t.ID))
				if err != nil {
					return nil, err
				}
				fresh = false
				r, err = decodeRow(got[0], t.ID)
				return nil, err
			}
			b.Set(tokenKey(q.ClientToken), encode(token{format, r.ID, q.fingerprint()}))
		}
		b.Set(rowKey(r.ID), encode(r))
		b.Set(r.indexKey(), []byte(r.ID))
		c.tell(b, r)
		return b, nil
	})
	if err != nil {
		return Datastore{}, fault.Wrap(op, err)
	}
	d := c.datastore(r)
	if !fresh && d.Status != Creating {
		return d, nil
	}
	// A caller that hangs up, or one whose first call broke here and that calls again, leaves no half data store.
	return d, fault.Wrap(op, c.build(context.WithoutCancel(ctx), r))
}

// build does what a CREATING data store still needs. It may be repeated.
func (c *Catalog) build(ctx context.Context, r *row) error {
	if r.Preload != "" {
		return c.enqueue(ctx, Preload, r.ID)
	}
	if _, err := c.engine.Open(ctx, SpaceName(r.ID)); err != nil {
		if ctx.Err() == nil && !fault.Is(err, fault.Unavailable) {
			return c.Fail(ctx, r.ID, "The storage of the data store could not be made.", true)
		}
		return err
	}
	return c.Activate(ctx, r.ID)
}

func (c *Catalog) enqueue(ctx context.Context, k TaskKind, id string) error {
	if c.o.Enqueue == nil {
		return fault.Errorf(fault.Unsupported, "catalog", "This server has no worker for %s.", k)
	}
	return c.o.Enqueue(ctx, Task{Kind: k, Datastore: id, Token: string(k) + "-" + id})
}

// check refuses what is not offered, so that nothing is accepted and ignored.
func (q *CreateRequest) check() error {
	const op = "catalog.Create"
	refuse := func(format string, args ...any) error { return fault.Errorf(fault.Invalid, op, format, args...) }
	switch {
	case q.TypeVersion != R4:
		return refuse("DatastoreTypeVersion %q is not offered: R4 is.", q.TypeVersion)
	case q.Preload != "" && q.Preload != Synthea:
		return refuse("PreloadDataType %q is not offered: SYNTHEA is.", q.Preload)
	case q.Encryption.CMKType == CustomerKey:
		return fault.WithHint(refuse("A data store under a customer managed KMS key is not yet offered by this server."),
			"Leave SseConfiguration out, and keep the data directory on an encrypted disk: see docs/security.md.")
	case q.Encryption.CMKType != "" && q.Encryption.CMKType != AWSOwnedKey:
		return refuse("CmkType %q is not known.", q.Encryption.CMKType)
	case q.Encryption.KMSKeyID != "":
		return refuse("KmsKeyId goes with CmkType CUSTOMER_MANAGED_KMS_KEY only, which is not yet offered by this server.")
	case q.Identity.Strategy != "" && q.Identity.Strategy != AWSAuth:
		return fault.WithHint(refuse("AuthorizationStrategy %s is not yet offered by this server.", q.Identity.Strategy),
			"Leave IdentityProviderConfiguration out, or give AWS_AUTH.")
	case q.Identity.FineGrained || q.Identity.Metadata != "" || q.Identity.LambdaARN != "":
		return refuse("FineGrainedAuthorizationEnabled, Metadata and IdpLambdaArn go with SMART on FHIR only, which is not yet offered by this server.")
	case len(q.Name) > 1024 || len(q.ClientToken) > 128:
		return refuse("The name or the client token is too long.")
	}
	return checkTags(q.Tags)
}

// fingerprint is the digest of all that was asked for.
func (q *CreateRequest) fingerprint() string {
	c := *q
	c.ClientToken = ""
	sum := sha256.Sum256(encode(c)) // encoding/json sorts the keys of maps
	return fmt.Sprintf("%x", sum[:16])
}
