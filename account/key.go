package account

import (
	"context"
	"crypto/subtle"
	"time"

	"tarn/access"
	"tarn/fault"
)

const sealedKey = "access-key"

// keyRow is an access key at rest.
type keyRow struct {
	ID      string    `json:"id"`
	User    string    `json:"user,omitempty"` // name of the owner; empty for the root
	Active  bool      `json:"active"`
	Created time.Time `json:"created"`
	Sealed  []byte    `json:"sealed"`
}

// AccessKey is what may be told of an access key.
type AccessKey struct {
	ID      string
	User    string // empty for the root
	Active  bool
	Created time.Time
}

func (k *keyRow) told() AccessKey { return AccessKey{k.ID, k.User, k.Active, k.Created} }

func (a *Accounts) newKey(user string, now time.Time) (row *keyRow, secret string) {
	secret = newSecret()
	id := newID("AKIA")
	return &keyRow{ID: id, User: user, Active: true, Created: now, Sealed: a.sealer.Seal(sealedKey, []byte(secret), []byte(id))}, secret
}

func (a *Accounts) openSecret(row *keyRow) (string, error) {
	secret, err := a.sealer.Open(sealedKey, row.Sealed, []byte(row.ID))
	if err != nil {
		return "", fault.Errorf(fault.Internal, "account.Credential", "the secret of the access key %s cannot be opened: %w", row.ID, err)
	}
	return string(secret), nil
}

// CreateAccessKey makes an active key for a user; the secret is never told again.
func (a *Accounts) CreateAccessKey(ctx context.Context, user string) (key AccessKey, secret string, err error) {
	err = a.change(ctx, "account.CreateAccessKey", Holder{User, user}, func(c *change, e *Entity) error {
		if len(e.Keys) >= MaxKeys {
			return overLimit("AccessKeysPerUser", MaxKeys)
		}
		var row *keyRow
		row, secret = a.newKey(e.Name, c.now)
		e.Keys = append(e.Keys, row.ID)
		c.set(keyOf(row.ID), row)
		key = row.told()
		return nil
	})
	if err != nil {
		return AccessKey{}, "", err
	}
	return key, secret, nil
}

// AccessKeys is the keys of a user, or of the root where user is empty, oldest first.
func (a *Accounts) AccessKeys(ctx context.Context, user string) (keys []AccessKey, err error) {
	err = a.read(ctx, func(r reader) error {
		ids, err := keyIDs(r, user)
		for _, id := range ids {
			var row keyRow
			found, err := r.get(keyOf(id), &row)
			if err != nil {
				return err
			}
			if found {
				keys = append(keys, row.told())
			}
		}
		return err
	})
	return keys, err
}

// SetAccessKey makes a key active or inactive. An inactive key is refused from now on.
func (a *Accounts) SetAccessKey(ctx context.Context, user, id string, active bool) error {
	return a.write(ctx, "account.SetAccessKey", func(c *change) error {
		row, err := keyRowOf(c.reader, user, id)
		if err != nil {
			return err
		}
		row.Active = active
		c.set(keyOf(id), row)
		return nil
	})
}

// DeleteAccessKey removes a key for ever.
func (a *Accounts) DeleteAccessKey(ctx context.Context, user, id string) error {
	return a.write(ctx, "account.DeleteAccessKey", func(c *change) error {
		if _, err := keyRowOf(c.reader, user, id); err != nil {
			return err
		}
		c.delete(keyOf(id))
		if user == "" {
			return nil
		}
		e, err := entity(c.reader, Holder{User, user})
		if err != nil {
			return err
		}
		if i := index(e.Keys, id); i >= 0 {
			e.Keys = append(e.Keys[:i], e.Keys[i+1:]...)
		}
		c.set(entityKey(User, user), e)
		return nil
	})
}

// KeyOwner is whose key it is; NoSuchEntity.
func (a *Accounts) KeyOwner(ctx context.Context, id string) (key AccessKey, err error) {
	err = a.read(ctx, func(r reader) error {
		var row keyRow
		found, err := r.get(keyOf(id), &row)
		if err == nil && !found {
			err = noSuch("The Access Key with id %s cannot be found.", brief(id))
		}
		key = row.told()
		return err
	})
	return key, err
}

func keyIDs(r reader, user string) ([]string, error) {
	if user == "" {
		var root rootKey
		found, err := r.get(rootRow, &root)
		if err != nil || !found {
			return nil, err
		}
		return []string{root.AccessKeyID}, nil
	}
	e, err := entity(r, Holder{User, user})
	if err != nil {
		return nil, err
	}
	return e.Keys, nil
}

// keyRowOf reads a key that belongs to that user, or to the root where user is empty.
func keyRowOf(r reader, user, id string) (*keyRow, error) {
	row := &keyRow{}
	if len(id) > 128 {
		return nil, noSuch("The Access Key with id %s cannot be found.", brief(id))
	}
	found, err := r.get(keyOf(id), row)
	if err == nil && (!found || !sameName(row.User, user)) {
		err = noSuch("The Access Key with id %s cannot be found.", brief(id))
	}
	if err != nil {
		return nil, err
	}
	return row, nil
}

// sameToken compares two tokens in a time that tells nothing of where they differ.
func sameToken(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// userPrincipal is a user as the one who asks.
func (a *Accounts) userPrincipal(e *Entity) access.Principal {
	return access.Principal{Kind: access.User, Account: a.account, ARN: e.ARN, UserID: e.ID, UserName: e.Name, Tags: tagMap(e.Tags)}
}
