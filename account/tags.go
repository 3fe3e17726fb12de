package account

import (
	"context"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Tag is a key with its value.
type Tag struct {
	Key   string `json:"k"`
	Value string `json:"v"`
}

// tagMap is the tags as principals and conditions carry them.
func tagMap(tags []Tag) map[string]string {
	if len(tags) == 0 {
		return nil
	}
	m := make(map[string]string, len(tags))
	for _, t := range tags {
		m[t.Key] = t.Value
	}
	return m
}

// checkTags holds tags against IAM's rules: at most 50; keys of 1 to 128 characters, not beginning with "aws:", each
// once without regard to case; values of at most 256.
func checkTags(tags []Tag) error {
	if len(tags) > MaxTags {
		return overLimit("TagsPerResource", MaxTags)
	}
	seen := map[string]bool{}
	for _, t := range tags {
		lower := strings.ToLower(t.Key)
		switch n := utf8.RuneCountInString(t.Key); {
		case n == 0 || n > 128 || !isTagText(t.Key):
			return invalid("The tag key %q is invalid. It must have 1 to 128 letters, digits, spaces and/or the following: _.:/=+-@", brief(t.Key))
		case utf8.RuneCountInString(t.Value) > 256 || !isTagText(t.Value):
			return invalid("The value of the tag %q is invalid. It must have at most 256 letters, digits, spaces and/or the following: _.:/=+-@", brief(t.Key))
		case strings.HasPrefix(lower, "aws:"):
			return invalidInput("Tag keys that begin with aws: are reserved: %s", brief(t.Key))
		case seen[lower]:
			return invalidInput("Duplicate tag keys found. Please note that Tag keys are case insensitive.")
		}
		seen[lower] = true
	}
	return nil
}

func isTagText(s string) bool {
	for _, r := range s {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) && !unicode.Is(unicode.Z, r) && !strings.ContainsRune("_.:/=+-@", r) {
			return false
		}
	}
	return utf8.ValidString(s)
}

// merged is old with new over it.
func merged(old, new []Tag) []Tag {
	out := append([]Tag(nil), old...)
next:
	for _, t := range new {
		for i := range out {
			if strings.EqualFold(out[i].Key, t.Key) {
				out[i] = t
				continue next
			}
		}
		out = append(out, t)
	}
	return out
}

// without is tags less the keys.
func without(tags []Tag, keys []string) []Tag {
	var out []Tag
next:
	for _, t := range tags {
		for _, key := range keys {
			if strings.EqualFold(t.Key, key) {
				continue next
			}
		}
		out = append(out, t)
	}
	return out
}

// Tag sets tags on a user or role.
func (a *Accounts) Tag(ctx context.Context, h Holder, tags []Tag) error {
	if err := checkTags(tags); err != nil {
		return err
	}
	return a.change(ctx, "account.Tag", h, func(_ *change, e *Entity) error {
		e.Tags = merged(e.Tags, tags)
		return checkTags(e.Tags)
	})
}

// Untag removes tags from a user or role; those that are not there do not matter.
func (a *Accounts) Untag(ctx context.Context, h Holder, keys []string) error {
	return a.change(ctx, "account.Untag", h, func(_ *change, e *Entity) error {
		e.Tags = without(e.Tags, keys)
		return nil
	})
}
