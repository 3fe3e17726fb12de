package local

import (
	"context"
	"time"

	"tarn/fault"
	"tarn/kv"
)

// DescribeKey tells of a key. (kms:DescribeKey)
func (s *Session) DescribeKey(ctx context.Context, key string) (KeyMetadata, error) {
	k, err := s.key(ctx, key, "kms:DescribeKey", nil)
	if err != nil {
		return KeyMetadata{}, err
	}
	return s.c.metadata(k), nil
}

// ListKeys tells of all keys in the order of their ids, the AWS managed one among them, from the one after the marker.
// (kms:ListKeys)
func (s *Session) ListKeys(ctx context.Context, marker string, limit int) (page []KeyMetadata, next string, err error) {
	if err := s.decideOwn("kms:ListKeys", "*", nil); err != nil {
		return nil, "", err
	}
	err = s.c.read(ctx, func(r kv.Reader) error {
		rg := kv.Prefix([]byte(rowKey))
		if marker != "" {
			rg.Start = []byte(rowKey + marker + "\x00")
		}
		for row, err := range scan(ctx, r, rg) {
			if err != nil {
				return err
			}
			k, err := decode[keyRecord](row.Value)
			if err != nil {
				return err
			}
			if s.c.isErased(k) {
				continue
			}
			if len(page) == limit {
				next = page[limit-1].ID
				return nil
			}
			page = append(page, s.c.metadata(k))
		}
		return nil
	})
	return page, next, err
}

// EnableKey lets a key be used again. (kms:EnableKey)
func (s *Session) EnableKey(ctx context.Context, key string) error {
	return s.setState(ctx, key, "kms:EnableKey", KeyEnabled)
}

// DisableKey makes a key, and everything that is encrypted under it, unusable until it is enabled. (kms:DisableKey)
func (s *Session) DisableKey(ctx context.Context, key string) error {
	return s.setState(ctx, key, "kms:DisableKey", KeyDisabled)
}

func (s *Session) setState(ctx context.Context, key, action, state string) error {
	_, err := s.changeKey(ctx, key, action, nil, func(k *keyRecord, _ *kv.Batch) error {
		if k.State == KeyPendingDeletion {
			return pending(s.c.keyARN(k.ID))
		}
		k.State = state
		return nil
	})
	return err
}

// ScheduleKeyDeletion makes a key unusable now and erases it, its material and its aliases, after 7 to 30 days.
// (kms:ScheduleKeyDeletion)
func (s *Session) ScheduleKeyDeletion(ctx context.Context, key string, days int) (KeyMetadata, error) {
	if days == 0 {
		days = 30
	}
	if days < 7 || days > 30 {
		return KeyMetadata{}, kmsError(fault.Invalid, "ValidationException", "PendingWindowInDays must be from 7 to 30")
	}
	k, err := s.changeKey(ctx, key, "kms:ScheduleKeyDeletion", nil, func(k *keyRecord, _ *kv.Batch) error {
		if k.State == KeyPendingDeletion {
			return pending(s.c.keyARN(k.ID))
		}
		when := s.c.now().UTC().Add(time.Duration(days) * 24 * time.Hour)
		k.State, k.Deletion = KeyPendingDeletion, &when
		return nil
	})
	if err != nil {
		return KeyMetadata{}, err
	}
	return s.c.metadata(k), nil
}

// CancelKeyDeletion keeps a key; it is disabled afterwards. (kms:CancelKeyDeletion)
func (s *Session) CancelKeyDeletion(ctx context.Context, key string) (KeyMetadata, error) {
	k, err := s.changeKey(ctx, key, "kms:CancelKeyDeletion", nil, func(k *keyRecord, _ *kv.Batch) error {
		if k.State != KeyPendingDeletion {
			return kmsError(fault.Conflict, "KMSInvalidStateException", "%s is not pending deletion.", s.c.keyARN(k.ID))
		}
		k.State, k.Deletion = KeyDisabled, nil
		return nil
	})
	if err != nil {
		return KeyMetadata{}, err
	}
	return s.c.metadata(k), nil
}

// UpdateKeyDescription changes the description. (kms:UpdateKeyDescription)
func (s *Session) UpdateKeyDescription(ctx context.Context, key, description string) error {
	if len(description) > 8192 {
		return kmsError(fault.Invalid, "ValidationException", "the description is longer than 8192 characters")
	}
	_, err := s.changeKey(ctx, key, "kms:UpdateKeyDescription", nil, func(k *keyRecord, _ *kv.Batch) error {
		if k.State == KeyPendingDeletion {
			return pending(s.c.keyARN(k.ID))
		}
		k.Description = description
		return nil
	})
	return err
}

// KeyPolicy is the text of a key's policy. (kms:GetKeyPolicy)
func (s *Session) KeyPolicy(ctx context.Context, key string) (string, error) {
	k, err := s.key(ctx, key, "kms:GetKeyPolicy", nil)
	if err != nil {
		return "", err
	}
	return k.Policy, nil
}

// CheckListKeyPolicies decides on kms:ListKeyPolicies; the only name is always "default".
func (s *Session) CheckListKeyPolicies(ctx context.Context, key string) error {
	_, err := s.key(ctx, key, "kms:ListKeyPolicies", nil)
	return err
}

// PutKeyPolicy replaces a key's policy. Unless bypass says so, one under which the caller could not change it again is
// refused. (kms:PutKeyPolicy)
func (s *Session) PutKeyPolicy(ctx context.Context, key, policy string, bypass bool) error {
	k, err := s.key(ctx, key, "kms:PutKeyPolicy", nil)
	if err != nil {
		return err
	}
	if err := s.checkKeyPolicy(k, policy, bypass); err != nil {
		return err
	}
	_, err = s.changeKey(ctx, key, "kms:PutKeyPolicy", nil, func(k *keyRecord, _ *kv.Batch) error {
		if k.State == KeyPendingDeletion {
			return pending(s.c.keyARN(k.ID))
		}
		k.Policy = policy
		return nil
	})
	return err
}

// Rotation is how a key's material is renewed.
type Rotation struct {
	Enabled bool
	Days    int
	Next    time.Time // zero where it is not enabled
}

// KeyRotation tells whether new material is made every so many days. (kms:GetKeyRotationStatus)
func (s *Session) KeyRotation(ctx context.Context, key string) (Rotation, error) {
	k, err := s.key(ctx, key, "kms:GetKeyRotationStatus", nil)
	if err != nil {
		return Rotation{}, err
	}
	r := Rotation{Enabled: k.Rotation, Days: k.RotateDays}
	if r.Enabled && len(k.Material) > 0 {
		r.Next = k.Material[len(k.Material)-1].Created.AddDate(0, 0, k.RotateDays)
	}
	return r, nil
}

// SetKeyRotation turns yearly (or every 90 to 2560 days) rotation on or off. Sweep makes the new material; the old
// goes on to decrypt. (kms:EnableKeyRotation, kms:DisableKeyRotation)
func (s *Session) SetKeyRotation(ctx context.Context, key string, on bool, days int) error {
	action := "kms:DisableKeyRotation"
	if on {
		action = "kms:EnableKeyRotation"
		if days == 0 {
			days = 365
		}
		if days < 90 || days > 2560 {
			return kmsError(fault.Invalid, "ValidationException", "RotationPeriodInDays must be from 90 to 2560")
		}
	}
	_, err := s.changeKey(ctx, key, action, nil, func(k *keyRecord, _ *kv.Batch) error {
		if k.Spec != SymmetricKey {
			return unsupportedKey(s.c.keyARN(k.ID), k.Spec)
		}
		if err := s.c.ready(k); err != nil {
			return err
		}
		k.Rotation, k.RotateDays = on, days
		return nil
	})
	return err
}

func unsupportedKey(arn, spec string) error {
	e := kmsError(fault.Unsupported, "UnsupportedOperationException", "%s is of key spec %s; the operation needs %s", arn, spec, SymmetricKey)
	e.Resource = arn
	return e
}
