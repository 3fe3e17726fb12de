package search

import (
	"slices"

	"tarn/fhir/r4"
)

// clause is the conditions that a resource of one type must all meet.
type clause struct {
	typ   r4.Code
	conds []condition
}

// condition is one of them.
type condition interface {
	// drive is a stream that holds every resource that meets the condition, of those for which the index speaks; nil
	// where the condition cannot lead at this effort. decided says that the stream holds no others, while *unsure, which
	// the stream may set, is false.
	drive(r *run, e effort, unsure *bool) (s stream, decided bool, err error)
	// test takes those out of the batch that do not meet it. Where the index speaks for none of them it is always right.
	test(r *run, b *batch) error
	// cost orders the tests, the cheapest first.
	cost() int
	// param is the search parameter that makes the condition, as it was given.
	param() string
	// String tells the plan.
	String() string
}

// effort is how much work may go into a stream.
type effort int

const (
	cheap effort = iota // walks that need not be counted
	more                // capped counts, and the far ends of chains that are narrow
	most                // walks over the whole index of a parameter, where nothing else leads
	full                // whatever finds all that match, since all are wanted
)

// judge takes those out of the batch that do not match the clause or are not there. The batch may come from anywhere.
func (r *run) judge(c *clause, b *batch) error {
	order := slices.Clone(c.conds)
	slices.SortStableFunc(order, func(a, b condition) int { return a.cost() - b.cost() })
	for _, cond := range order {
		if b.kept() == 0 {
			return nil
		}
		if err := cond.test(r, b); err != nil {
			return err
		}
	}
	if b.kept() == 0 {
		return nil
	}
	return r.loadHeaders(b)
}
