package catalog

import (
	"context"
	"maps"
	"strings"
	"unicode/utf8"

	"tarn/fault"
)

// MaxTags is how many tags a data store carries at most.
const MaxTags = 200

// Tags are the tags of a data store; fault.Gone for a deleted one.
func (c *Catalog) Tags(ctx context.Context, id string) (map[string]string, error) {
	d, err := c.Describe(ctx, id)
	if err == nil && d.Status == Deleted {
		err = gone(id)
	}
	if err != nil {
		return nil, fault.Wrap("catalog.Tags", err)
	}
	return d.Tags, nil
}

// Tag sets tags and keeps the others. Tags that break a rule, or too many, are fault.Invalid and change nothing.
func (c *Catalog) Tag(ctx context.Context, id string, tags map[string]string) error {
	const op = "catalog.Tag"
	if err := checkTags(tags); err != nil {
		return err
	}
	_, err := c.update(ctx, op, id, func(r *row) (bool, error) {
		if r.Status == Deleted {
			return false, gone(id)
		}
		if r.Tags == nil {
			r.Tags = map[string]string{}
		}
		maps.Copy(r.Tags, tags)
		if err := checkCase(r.Tags); err != nil {
			return false, err
		}
		if len(r.Tags) > MaxTags {
			return false, fault.Errorf(fault.Invalid, op, "A data store carries at most %d tags; it would have %d.", MaxTags, len(r.Tags))
		}
		return len(tags) > 0, nil
	})
	return err
}

// Untag removes tags; one that is not there is no error.
func (c *Catalog) Untag(ctx context.Context, id string, keys []string) error {
	_, err := c.update(ctx, "catalog.Untag", id, func(r *row) (bool, error) {
		if r.Status == Deleted {
			return false, gone(id)
		}
		before := len(r.Tags)
		for _, k := range keys {
			delete(r.Tags, k)
		}
		return len(r.Tags) != before, nil
	})
	return err
}

func checkTags(tags map[string]string) error {
	const op = "catalog.Tag"
	if len(tags) > MaxTags {
		return fault.Errorf(fault.Invalid, op, "A data store carries at most %d tags, not %d.", MaxTags, len(tags))
	}
	for k, v := range tags {
		switch {
		case k == "" || utf8.RuneCountInString(k) > 128 || utf8.RuneCountInString(v) > 256:
			return fault.Errorf(fault.Invalid, op, "A tag has a key of 1 to 128 characters and a value of at most 256.")
		case strings.HasPrefix(strings.ToLower(k), "aws:"):
			return fault.Errorf(fault.Invalid, op, "Tag keys that begin with aws: are reserved.")
		}
	}
	return checkCase(tags)
}

// checkCase refuses keys that differ only in case: the conditions of policies (aws:ResourceTag/KEY) are compared without
// regard to case, and must mean one value.
func checkCase(tags map[string]string) error {
	seen := make(map[string]bool, len(tags))
	for k := range tags {
		lower := strings.ToLower(k)
		if seen[lower] {
			return fault.Errorf(fault.Invalid, "catalog.Tag", "Two tag keys differ only in case: %s.", lower)
		}
		seen[lower] = true
	}
	return nil
}
