package search

import (
	"context"
	"errors"
	"strings"
	"time"

	"tarn/fault"
	"tarn/fhir"
)

// errTime is the cause of a context that has ended because a search took too long.
var errTime = errors.New("the search took too long")

// limited is ctx with the time that a search may take.
func limited(ctx context.Context, d time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeoutCause(ctx, d, errTime)
}

// ended is err, or where that is the end of the search's time, a refusal that names the parameter on which most of the
// time was spent. r may be nil.
func ended(ctx context.Context, r *run, err error, d time.Duration) error {
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(context.Cause(ctx), errTime) {
		return err
	}
	if name := r.costliest(); name != "" {
		return refuseAs(codeTooCostly, name, "the search was ended after %v, most of which it took; add conditions that fewer resources meet", d)
	}
	return fhir.NewOutcomeError(fault.Invalid, "search", fhir.Issue{Severity: fhir.SeverityError, Code: codeTooCostly,
		Diagnostics: "The search was ended after " + d.String() + "; add conditions that fewer resources meet."})
}

// checkSteps refuses chains that have too many steps together.
func checkSteps(pairs []Pair) error {
	steps := 0
	for _, p := range pairs {
		if steps += strings.Count(p.Name, ".") + strings.Count(p.Name, "_has:"); steps > MaxSteps {
			return refuseAs(codeTooCostly, p.Name, "the chains of the search have more than %d steps together, _has counted", MaxSteps)
		}
	}
	return nil
}
