// Package account keeps the one account of an installation: its root, users, groups, roles, policies, access keys and
// sessions, as IAM and STS know them. It answers access.Directory.
package account

import (
	"bytes"
	"context"
	"encoding/json"
	"sync/atomic"
	"time"

	"tarn/access"
	"tarn/access/seal"
	"tarn/fault"
	"tarn/kv"
)

// Options say whose account it is.
type Options struct {
	Account   string           // 12 digits; empty is 000000000000
	Partition string           // of ARNs; empty is aws
	Sealer    *seal.Sealer     // seals secrets and session tokens; all processes over the same rows need the same
	Now       func() time.Time // nil is time.Now
}

// Accounts is the account. It is safe for concurrent use, also by several processes over the same rows: each sees its
// own changes at once, and the others' a second later. Every write is atomic and durable when its method returns nil; after
// fault.Unavailable it may or may not have happened.
type Accounts struct {
	space     kv.Space
	account   string
	partition string
	sealer    *seal.Sealer
	now       func() time.Time
	cache     atomic.Pointer[cache]
	sessions  sessions
	used      lastUse
}

var _ access.Directory = (*Accounts)(nil)

// founding is the row that says whose account this is.
type founding struct {
	Account string    `json:"account"`
	Master  []byte    `json:"master"` // fingerprint of the master key
	Created time.Time `json:"created"`
}

// Open opens the account in the system space, making it at the first time. A space of another account, or one whose
// secrets were sealed under another master key, is fault.Conflict.
func Open(ctx context.Context, space kv.Space, o Options) (*Accounts, error) {
	const op = "account.Open"
	if o.Account == "" {
		o.Account = "000000000000"
	}
	if o.Partition == "" {
		o.Partition = "aws"
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if !isAccount(o.Account) {
		return nil, fault.Errorf(fault.Invalid, op, "an account has twelve digits, not %q", o.Account)
	}
	if o.Sealer == nil {
		return nil, fault.Errorf(fault.Invalid, op, "a sealer is needed to keep secrets")
	}
	a := &Accounts{space: space, account: o.Account, partition: o.Partition, sealer: o.Sealer, now: o.Now}
	a.cache.Store(newCache(unknown))
	err := a.write(ctx, op, func(c *change) error {
		var f founding
		found, err := c.get(foundingKey, &f)
		switch {
		case err != nil:
			return err
		case !found:
			c.set(foundingKey, founding{Account: a.account, Master: a.sealer.Fingerprint(), Created: c.now})
			return nil
		case f.Account != a.account:
			return fault.WithHint(fault.Errorf(fault.Conflict, op, "this store belongs to the account %s, not to %s", f.Account, a.account),
				"start with the account %s", f.Account)
		case !bytes.Equal(f.Master, a.sealer.Fingerprint()):
			return fault.WithHint(fault.Errorf(fault.Conflict, op, "the secrets in this store are sealed under another master key"),
				"start with the master key that this store was made with")
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return a, nil
}

// Account is the twelve digits.
func (a *Accounts) Account() string { return a.account }

// ARN names something of the account's in IAM: iam:ARN("user/ana").
func (a *Accounts) ARN(resource string) string {
	return "arn:" + a.partition + ":iam::" + a.account + ":" + resource
}

// rootKey is the row of the root's first access key.
type rootKey struct {
	AccessKeyID string `json:"accessKeyId"`
}

// EnsureRoot makes the root's access key at the first start and returns the same one ever after. created says whether
// it was made now. A root key that has since been deleted is not made again: the key id is then empty.
func (a *Accounts) EnsureRoot(ctx context.Context) (accessKey, secret string, created bool, err error) {
	const op = "account.EnsureRoot"
	err = a.write(ctx, op, func(c *change) error {
		var root rootKey
		found, err := c.get(rootRow, &root)
		if err != nil {
			return err
		}
		if !found {
			row, plain := a.newKey("", c.now)
			c.set(rootRow, rootKey{row.ID})
			c.set(keyOf(row.ID), row)
			accessKey, secret, created = row.ID, plain, true
			return nil
		}
		var row keyRow
		if found, err = c.get(keyOf(root.AccessKeyID), &row); err != nil || !found {
			return err
		}
		accessKey = row.ID
		secret, err = a.openSecret(&row)
		return err
	})
	if err != nil {
		return "", "", false, err
	}
	return accessKey, secret, created, nil
}

func isAccount(s string) bool {
	if len(s) != 12 {
		return false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

func decode(op string, data []byte, into any) error {
	if err := json.Unmarshal(data, into); err != nil {
		return fault.Errorf(fault.Internal, op, "a row of the account is damaged: %w", err)
	}
	return nil
}

// Founded is when the account was made.
func (a *Accounts) Founded(ctx context.Context) (when time.Time, err error) {
	err = a.read(ctx, func(r reader) error {
		var f founding
		_, err := r.get(foundingKey, &f)
		when = f.Created
		return err
	})
	return when, err
}

// PrincipalOf is a user, or a session of a role, as the one who asks.
func (a *Accounts) PrincipalOf(e *Entity) access.Principal {
	if e.Kind == User {
		return a.userPrincipal(e)
	}
	return a.principal(&ticket{Kind: e.Kind, Name: e.Name, ID: e.ID, ARN: e.ARN, Session: "simulated", Tags: e.Tags})
}
