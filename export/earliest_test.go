package export_test

import "testing"

// TestEarliest_isOfTheOldestThatIsKnown makes exports, one of which ends.
func TestEarliest_isOfTheOldestThatIsKnown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if _, known, err := w.exports.Earliest(t.Context(), w.data.ID); known || err != nil {
		t.Errorf("without any: %v, %v", known, err)
	}
	w.put("Patient", 0, 3, "en")
	head, err := w.store().Head(t.Context())
	must(t, err)
	for range 2 {
		_, err = w.exports.Start(t.Context(), w.request())
		must(t, err)
		w.run()
		w.put("Patient", 0, 3, "fr")
	}
	_, err = w.exports.Start(t.Context(), w.request())
	must(t, err)
	if tx, known, err := w.exports.Earliest(t.Context(), w.data.ID); tx != head.Tx || !known || err != nil {
		t.Errorf("%d, %v, %v; not %d", tx, known, err, head.Tx)
	}
}
