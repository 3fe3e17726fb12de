package export

import (
	"context"

	"tarn/fhir/r4"
	"tarn/store"
)

// TakeSlotsForTest holds so many slots, as parts of other jobs do.
func (s *Service) TakeSlotsForTest(n int) (release func()) {
	for range n {
		s.slots <- struct{}{}
	}
	return func() {
		for range n {
			<-s.slots
		}
	}
}

// CutForTest opens the cutting of a type into parts to the tests.
var CutForTest = cut

// PlanRoundTripForTest stores a plan and reads it again.
func PlanRoundTripForTest(plan []Part) (again []Part, pieces int, err error) {
	for piece, err := range encodePlan(plan) {
		if err != nil {
			return nil, 0, err
		}
		pieces++
		if again, err = decodePlan(again, piece); err != nil {
			return nil, 0, err
		}
	}
	return again, pieces, nil
}

// DecodePlanForTest reads one stored piece.
func DecodePlanForTest(b []byte) ([]Part, error) { return decodePlan(nil, b) }

// BlockForTest is what a part holds of one patient.
type BlockForTest struct {
	Patient string
	Types   []r4.Code
	Members [][]store.Ordinal
}

// CutBlocksForTest cuts blocks into parts.
func CutBlocksForTest(maxLines int, blocks []BlockForTest) []Part {
	c := blockCutter{maxLines: maxLines}
	for _, b := range blocks {
		of := block{patient: b.Patient}
		for i, t := range b.Types {
			of.groups = append(of.groups, bunch{t, b.Members[i]})
		}
		c.add(of)
	}
	return c.plan
}

// BlocksForTest reads a part's blocks.
func BlocksForTest(p Part) (all []BlockForTest, err error) {
	for b, err := range p.blocks() {
		if err != nil {
			return nil, err
		}
		of := BlockForTest{Patient: b.patient}
		for _, g := range b.groups {
			of.Types, of.Members = append(of.Types, g.typ), append(of.Members, g.members)
		}
		all = append(all, of)
	}
	return all, nil
}

// AbsoluteForTest makes urls of attachments absolute.
func AbsoluteForTest(base string, body []byte) ([]byte, error) { return newAbsoluteURLs(base).of(body) }

// InOrderForTest opens the ordered work of several at once to the tests.
func InOrderForTest(ctx context.Context, n, width int, do func(context.Context, int) (int, error), take func(i, v int) error) error {
	return inOrder(ctx, n, width, do, take)
}
