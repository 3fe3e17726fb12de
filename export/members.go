package export

import (
	"context"
	"encoding/json"

	"tarn/fault"
	"tarn/fhir"
	"tarn/store"
)

// Bounds of a Group's membership.
const (
	maxNested  = 20        // groups within each other
	maxGroups  = 10_000    // groups in all
	maxMembers = 2_000_000 // patients in all
)

// group is what of a Group tells who belongs to it.
type group struct {
	Actual *bool `json:"actual"`
	Member []struct {
		Entity struct {
			Reference string `json:"reference"`
		} `json:"entity"`
		Period struct {
			Start string `json:"start"`
			End   string `json:"end"`
		} `json:"period"`
		Inactive bool `json:"inactive"`
	} `json:"member"`
}

// members are the ids of the patients who belong to a Group as of the view and at the instant, those of groups within it
// too. Who is inactive, or whose period is over or has not begun, does not belong to it; nor does anyone to a Group that
// is a definition (actual is false). Members of other servers than that of the base are none here, whoever has the same id.
// A Group that is not there is fault.NotFound, or fault.Gone.
func members(ctx context.Context, v *store.View, id string, at fhir.Instant, base string) (map[string]struct{}, error) {
	found := map[string]struct{}{}
	seen := map[string]bool{id: true}
	level := []string{id}
	for depth := 0; len(level) > 0; depth++ {
		if depth > maxNested || len(seen) > maxGroups {
			return nil, fault.Errorf(fault.TooLarge, "export", "The Group holds others within each other, more than %d deep or %d in all.", maxNested, maxGroups)
		}
		var inner []string
		for _, id := range level {
			version, err := v.Read(ctx, groupCode, id)
			if err != nil {
				if depth > 0 && (fault.Is(err, fault.NotFound) || fault.Is(err, fault.Gone)) {
					continue // a member that is not there
				}
				return nil, err
			}
			var g group
			if err := json.Unmarshal(version.Body, &g); err != nil {
				return nil, fault.Errorf(fault.Internal, "export", "a stored Group cannot be read: %w", err)
			}
			if g.Actual != nil && !*g.Actual {
				continue
			}
			for i := range g.Member {
				m := &g.Member[i]
				if m.Inactive || !during(m.Period.Start, m.Period.End, at) {
					continue
				}
				switch ref := fhir.ParseReference(m.Entity.Reference); {
				case !isLocal(ref, base):
				case ref.Type == "Patient":
					found[ref.ID] = struct{}{}
				case ref.Type == "Group" && !seen[ref.ID]:
					seen[ref.ID] = true
					inner = append(inner, ref.ID)
				}
			}
			if len(found) > maxMembers {
				return nil, fault.Errorf(fault.TooLarge, "export", "The Group has more than %d members.", maxMembers)
			}
		}
		level = inner
	}
	return found, nil
}

// during reports whether an instant lies within a period of FHIR dateTimes: what is open, or cannot be read, is no bound.
// A date stands for all of its day, month or year, in UTC.
func during(start, end string, at fhir.Instant) bool {
	now := at.String()
	if start != "" && sortable(start, now) > now {
		return false
	}
	return end == "" || sortable(end, now) >= now
}

// sortable is a dateTime in a form that sorts as the text of an instant in UTC: one with a time zone is converted, a
// shorter one is filled up from now where they agree so far, and so is neither before nor after it.
func sortable(text, now string) string {
	if at, err := fhir.ParseInstant(text); err == nil {
		return at.String()
	}
	n := min(len(text), len("2006-01-02"))
	if n > len(now) || text[:n] != now[:n] {
		return text[:n]
	}
	return now
}
