package export

import (
	"context"
	"sync"
)

// inOrder calls do for each i in [0, n), up to width of them at once, and then take with what came of it: one at a time,
// in the order of i, in the caller's goroutine. The first error, in that order, ends it; no goroutine outlives it.
func inOrder[T any](ctx context.Context, n, width int, do func(ctx context.Context, i int) (T, error), take func(i int, v T) error) error {
	type outcome struct {
		value T
		err   error
	}
	ctx, cancel := context.WithCancel(ctx)
	var working sync.WaitGroup
	defer working.Wait()
	defer cancel()
	begun := make(chan chan outcome, width-1) // with the one that is waited for: width at once
	working.Go(func() {
		defer close(begun)
		for i := range n {
			done := make(chan outcome, 1)
			select {
			case begun <- done:
			case <-ctx.Done():
				return
			}
			working.Go(func() {
				v, err := do(ctx, i)
				done <- outcome{v, err}
			})
		}
	})
	i := 0
	for done := range begun {
		o := <-done
		if o.err != nil {
			return o.err
		}
		if err := take(i, o.value); err != nil {
			return err
		}
		i++
	}
	if i < n {
		return context.Cause(ctx)
	}
	return nil
}
