package export

import "context"

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

// InOrderForTest opens the ordered work of several at once to the tests.
func InOrderForTest(ctx context.Context, n, width int, do func(context.Context, int) (int, error), take func(i, v int) error) error {
	return inOrder(ctx, n, width, do, take)
}
