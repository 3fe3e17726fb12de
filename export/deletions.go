package export

import (
	"context"

	"tarn/fault"
	"tarn/store"
)

// deletionsPerLine is how many deletions one Bundle tells of.
const deletionsPerLine = 100

// deletions writes what tells of deleted resources: each line a Bundle of type transaction that would delete them (Bulk
// Data Access 3.0.0, section "Response - Complete Status", deleted).
func (w *partWriter) deletions(ctx context.Context, v *store.View) (total int, err error) {
	var line []byte
	for left := w.part.Members; len(left) > 0; {
		n := min(deletionsPerLine, len(left))
		versions, err := v.Headers(ctx, w.part.Type, left[:n])
		if err != nil {
			return total, err
		}
		left = left[n:]
		line = append(line[:0], `{"resourceType":"Bundle","type":"transaction","entry":[`...)
		for i := range versions {
			if !versions[i].Deleted {
				return total, fault.Errorf(fault.Internal, "export", "a %s that the plan says was deleted is there", w.part.Type)
			}
			if i > 0 {
				line = append(line, ',')
			}
			line = append(line, `{"request":{"method":"DELETE","url":"`...)
			line = append(append(append(line, w.part.Type.String()...), '/'), versions[i].ID...) // a FHIR id needs no escapes
			line = append(line, `"}}`...)
			total++
		}
		if err := w.line(append(line, "]}"...)); err != nil {
			return total, err
		}
	}
	return total, nil
}
