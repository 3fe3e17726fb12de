package local

import (
	"context"
	"slices"
	"strings"

	"tarn/access"
	"tarn/fault"
	"tarn/kv"
)

const maxTags = 50

// KeyTags are a key's tags in the order of their keys. (kms:ListResourceTags)
func (s *Session) KeyTags(ctx context.Context, key string) ([]Tag, error) {
	k, err := s.key(ctx, key, "kms:ListResourceTags", nil)
	if err != nil {
		return nil, err
	}
	return k.Tags, nil
}

// TagKey adds tags, replacing those of the same keys. (kms:TagResource)
func (s *Session) TagKey(ctx context.Context, key string, tags []Tag) error {
	var extra conditions
	for _, t := range tags {
		extra = append(extra, access.KeyRequestTag+t.Key, t.Value)
	}
	_, err := s.changeKey(ctx, key, "kms:TagResource", extra, func(k *keyRecord, _ *kv.Batch) (err error) {
		if k.State == KeyPendingDeletion {
			return pending(s.c.keyARN(k.ID))
		}
		k.Tags, err = mergeTags(k.Tags, tags)
		return err
	})
	return err
}

// UntagKey removes the tags of those keys. (kms:UntagResource)
func (s *Session) UntagKey(ctx context.Context, key string, names []string) error {
	_, err := s.changeKey(ctx, key, "kms:UntagResource", nil, func(k *keyRecord, _ *kv.Batch) error {
		if k.State == KeyPendingDeletion {
			return pending(s.c.keyARN(k.ID))
		}
		k.Tags = slices.DeleteFunc(k.Tags, func(t Tag) bool { return slices.Contains(names, t.Key) })
		return nil
	})
	return err
}

// mergeTags adds tags to others by AWS's rules for tags.
func mergeTags(old, more []Tag) ([]Tag, error) {
	all := slices.Clone(old)
	for i, t := range more {
		if t.Key == "" || len(t.Key) > 128 || len(t.Value) > 256 || strings.HasPrefix(strings.ToLower(t.Key), "aws:") {
			return nil, kmsError(fault.Invalid, "TagException", "the tag %q is not valid: a key has 1 to 128 characters and does not begin with aws:, a value at most 256", t.Key)
		}
		if slices.ContainsFunc(more[:i], func(o Tag) bool { return o.Key == t.Key }) {
			return nil, kmsError(fault.Invalid, "TagException", "the tag key %q is given twice", t.Key)
		}
		if j := slices.IndexFunc(all, func(o Tag) bool { return o.Key == t.Key }); j >= 0 {
			all[j] = t
		} else {
			all = append(all, t)
		}
	}
	if len(all) > maxTags {
		return nil, kmsError(fault.Invalid, "LimitExceededException", "a resource can have at most %d tags", maxTags)
	}
	slices.SortFunc(all, func(a, b Tag) int { return strings.Compare(a.Key, b.Key) })
	return all, nil
}
