package export

import (
	"iter"

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

// members are the ids of the patients who belong to a Group as of the view and at the instant, those of groups within it
// too. Who is inactive, or whose period is over or has not begun, does not belong to it; nor does anyone to a Group that
// is a definition (actual is false). Members of other servers than that of the base are none here, whoever has the same id.
// A Group that is not there is fault.NotFound, or fault.Gone.
func (c *chooser) members(v *store.View, id string, at fhir.Instant) (map[string]struct{}, error) {
	found := map[string]struct{}{}
	seen := map[string]bool{id: true}
	level := []string{id}
	for depth := 0; len(level) > 0; depth++ {
		if depth > maxNested || len(seen) > maxGroups {
			return nil, fault.Errorf(fault.TooLarge, "export", "The Group holds others within each other, more than %d deep or %d in all.", maxNested, maxGroups)
		}
		var inner []string
		for _, id := range level {
			version, err := v.Read(c.ctx, groupCode, id)
			if err != nil {
				if depth > 0 && (fault.Is(err, fault.NotFound) || fault.Is(err, fault.Gone)) {
					continue // a member that is not there
				}
				return nil, err
			}
			doc, err := c.reader.parser.Scan(version.Body)
			if err != nil {
				return nil, fault.Errorf(fault.Internal, "export", "a stored Group cannot be read: %w", err)
			}
			for ref := range listed(doc.Root(), at) {
				switch {
				case !isLocal(ref, c.job.Base):
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

// listed are the members that a Group lists and that belong to it at the instant. A Group that was stored at the level
// minimal may be of any form: what is no list has that one member, truths may be strings, and what cannot be read at all
// puts nobody into the Group, but for a period, which bounds nothing then.
func listed(group fhir.Node, at fhir.Instant) iter.Seq[fhir.Reference] {
	return func(yield func(fhir.Reference) bool) {
		if actual := group.Member("actual"); !isOpen(actual) && !says(actual, "true") {
			return
		}
		list := group.Member("member")
		one := list.First()
		if list.Kind() == fhir.Object {
			one = list
		}
		for ; one.Exists(); one = one.Next() {
			if inactive := one.Member("inactive"); !isOpen(inactive) && !says(inactive, "false") {
				continue
			}
			period := one.Member("period")
			if !during(textOf(period.Member("start")), textOf(period.Member("end")), at) {
				continue
			}
			if !yield(fhir.ParseReference(textOf(one.Member("entity").Member("reference")))) {
				return
			}
			if list.Kind() == fhir.Object {
				return
			}
		}
	}
}

// isOpen reports whether an element is not there.
func isOpen(n fhir.Node) bool { return !n.Exists() || n.Kind() == fhir.Null }

// says reports whether a truth has a value, as one or as a string.
func says(n fhir.Node, value string) bool { return string(n.Text()) == value }

// textOf is the text of a string; what is none has no text.
func textOf(n fhir.Node) string {
	if n.Kind() != fhir.String {
		return ""
	}
	return string(n.AppendText(nil))
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
