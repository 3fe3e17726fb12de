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
	if _, err := mergeTags(nil, tags); err != nil {
		return err
	}
	_, err := s.changeKey(ctx, key, "kms:TagResource", tagConditions(nil, tags), func(k *keyRecord, _ *kv.Batch) (err error) {
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
	if len(names) > maxTags {
		return tooManyTags()
	}
	var extra conditions
	for _, name := range names {
		extra = append(extra, access.KeyTagKeys, name)
	}
	_, err := s.changeKey(ctx, key, "kms:UntagResource", extra, func(k *keyRecord, _ *kv.Batch) error {
		if k.State == KeyPendingDeletion {
			return pending(s.c.keyARN(k.ID))
		}
		k.Tags = slices.DeleteFunc(k.Tags, func(t Tag) bool { return slices.Contains(names, t.Key) })
		return nil
	})
	return err
}

// tagConditions adds the condition keys of the tags that a request gives.
func tagConditions(extra conditions, tags []Tag) conditions {
	for _, t := range tags {
		extra = append(extra, access.KeyRequestTag+t.Key, t.Value, access.KeyTagKeys, t.Key)
	}
	return extra
}

// mergeTags adds tags to others by AWS's rules for tags. Keys that differ only in case are refused, since conditions on
// tags compare them without regard to case and must mean one value.
func mergeTags(old, more []Tag) ([]Tag, error) {
	if len(more) > maxTags {
		return nil, tooManyTags()
	}
	all := slices.Clone(old)
	for i, t := range more {
		if t.Key == "" || len(t.Key) > 128 || len(t.Value) > 256 || strings.HasPrefix(strings.ToLower(t.Key), "aws:") {
			return nil, kmsError(fault.Invalid, "TagException", "the tag %q is not valid: a key has 1 to 128 characters and does not begin with aws:, a value at most 256", t.Key)
		}
		if slices.ContainsFunc(more[:i], func(o Tag) bool { return strings.EqualFold(o.Key, t.Key) }) {
			return nil, kmsError(fault.Invalid, "TagException", "the tag key %q is given twice", t.Key)
		}
		j := slices.IndexFunc(all, func(o Tag) bool { return strings.EqualFold(o.Key, t.Key) })
		switch {
		case j < 0:
			all = append(all, t)
		case all[j].Key != t.Key:
			return nil, kmsError(fault.Invalid, "TagException", "the tag key %q differs from the key %q, which is there, only in case", t.Key, all[j].Key)
		default:
			all[j] = t
		}
	}
	if len(all) > maxTags {
		return nil, tooManyTags()
	}
	slices.SortFunc(all, func(a, b Tag) int { return strings.Compare(a.Key, b.Key) })
	return all, nil
}

func tooManyTags() error {
	return kmsError(fault.Invalid, "LimitExceededException", "a resource can have at most %d tags", maxTags)
}
