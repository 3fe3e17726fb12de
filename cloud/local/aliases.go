package local

import (
	"context"
	"regexp"
	"strings"
	"time"

	"tarn/fault"
	"tarn/kv"
)

// ManagedS3Alias is the alias of the AWS managed key that S3 uses where no other key is named.
const ManagedS3Alias = "alias/aws/s3"

const maxAlias = 256

var aliasForm = regexp.MustCompile(`^alias/[a-zA-Z0-9:/_-]+$`)

// aliasRecord is an alias as it lies in its row.
type aliasRecord struct {
	Target           string
	Created, Updated time.Time
}

// Alias is a second name of a key.
type Alias struct {
	Name, ARN        string // the name begins with alias/
	Target           string // the key's id
	Created, Updated time.Time
}

func checkAlias(name string) error {
	if len(name) > maxAlias || !aliasForm.MatchString(name) {
		return kmsError(fault.Invalid, "InvalidAliasNameException", "an alias begins with alias/ and has at most 256 of a-z, A-Z, 0-9, ':', '/', '_' and '-'")
	}
	if strings.HasPrefix(name, "alias/aws/") {
		return kmsError(fault.Invalid, "InvalidAliasNameException", "aliases that begin with alias/aws/ are AWS's own")
	}
	return nil
}

func (s *Session) noSuchAlias(name string) error {
	return kmsError(fault.NotFound, "NotFoundException", "Alias %s is not found.", s.c.aliasARN(name))
}

// CreateAlias gives a key a further name. (kms:CreateAlias on the alias and on the key)
func (s *Session) CreateAlias(ctx context.Context, name, key string) error {
	return s.setAlias(ctx, "kms:CreateAlias", name, key, false)
}

// UpdateAlias points an alias to another key of the same kind. (kms:UpdateAlias on the alias and on both keys)
func (s *Session) UpdateAlias(ctx context.Context, name, key string) error {
	return s.setAlias(ctx, "kms:UpdateAlias", name, key, true)
}

func (s *Session) setAlias(ctx context.Context, action, name, key string, there bool) error {
	if err := checkAlias(name); err != nil {
		return err
	}
	if err := s.decideOwn(action, s.c.aliasARN(name), nil); err != nil {
		return err
	}
	if strings.Contains(key, "alias/") {
		return kmsError(fault.Invalid, "ValidationException", "an alias must be pointed to a key by its id or ARN")
	}
	k, err := s.key(ctx, key, action, nil)
	if err != nil {
		return err
	}
	if k.State == KeyPendingDeletion {
		return pending(s.c.keyARN(k.ID))
	}
	if k.Manager == ManagerAWS {
		return kmsError(fault.Denied, "AccessDeniedException", "%s is managed by AWS; it cannot have further aliases", s.c.keyARN(k.ID))
	}
	row := []byte(rowAlias + name)
	return s.c.space.Update(ctx, [][]byte{row}, func(tx kv.Locked) (*kv.Batch, error) {
		now := s.c.now().UTC()
		a := aliasRecord{Target: k.ID, Created: now, Updated: now}
		switch old := tx.Values[0]; {
		case old == nil && there:
			return nil, s.noSuchAlias(name)
		case old != nil && !there:
			return nil, kmsError(fault.Exists, "AlreadyExistsException", "An alias with the name %s already exists", s.c.aliasARN(name))
		case there:
			o, err := decode[aliasRecord](old)
			if err != nil {
				return nil, err
			}
			before, err := load[keyRecord](ctx, tx, []byte(rowKey+o.Target))
			if err != nil {
				return nil, err
			}
			if before != nil {
				if err := s.decideKey(before, action, nil); err != nil {
					return nil, err
				}
				if before.Usage != k.Usage || before.Spec != k.Spec {
					return nil, kmsError(fault.Invalid, "ValidationException", "the alias's present key and the new one must have the same KeySpec and KeyUsage")
				}
			}
			a.Created = o.Created
		}
		b := new(kv.Batch)
		b.Set(row, encode(a))
		return b, nil
	})
}

// DeleteAlias takes a name from its key; the key stays. (kms:DeleteAlias on the alias and on the key)
func (s *Session) DeleteAlias(ctx context.Context, name string) error {
	if err := checkAlias(name); err != nil {
		return err
	}
	if err := s.decideOwn("kms:DeleteAlias", s.c.aliasARN(name), nil); err != nil {
		return err
	}
	row := []byte(rowAlias + name)
	return s.c.space.Update(ctx, [][]byte{row}, func(tx kv.Locked) (*kv.Batch, error) {
		if tx.Values[0] == nil {
			return nil, s.noSuchAlias(name)
		}
		a, err := decode[aliasRecord](tx.Values[0])
		if err != nil {
			return nil, err
		}
		k, err := load[keyRecord](ctx, tx, []byte(rowKey+a.Target))
		if err != nil {
			return nil, err
		}
		if k != nil {
			if err := s.decideKey(k, "kms:DeleteAlias", nil); err != nil {
				return nil, err
			}
		}
		b := new(kv.Batch)
		b.Delete(row)
		return b, nil
	})
}

// ListAliases tells of all aliases in the order of their names, or those of one key, from the one after the marker.
// (kms:ListAliases)
func (s *Session) ListAliases(ctx context.Context, key, marker string, limit int) (page []Alias, next string, err error) {
	if err := s.decideOwn("kms:ListAliases", "*", nil); err != nil {
		return nil, "", err
	}
	err = s.c.read(ctx, func(r kv.Reader) error {
		only := ""
		if key != "" {
			k, err := s.c.find(ctx, r, key)
			if err != nil {
				return err
			}
			only = k.ID
		}
		rg := kv.Prefix([]byte(rowAlias))
		if marker != "" {
			rg.Start = []byte(rowAlias + marker + "\x00")
		}
		for row, err := range scan(ctx, r, rg) {
			if err != nil {
				return err
			}
			a, err := decode[aliasRecord](row.Value)
			if err != nil {
				return err
			}
			if only != "" && a.Target != only {
				continue
			}
			if len(page) == limit {
				next = page[limit-1].Name
				return nil
			}
			name := string(row.Key[len(rowAlias):])
			page = append(page, Alias{Name: name, ARN: s.c.aliasARN(name), Target: a.Target, Created: a.Created, Updated: a.Updated})
		}
		return nil
	})
	return page, next, err
}
