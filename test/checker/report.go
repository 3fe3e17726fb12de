package main

import (
	"fmt"
	"io"
)

// report is the outcome of a check.
type report struct {
	proved    int // lines that are exactly what the journal says
	undecided int // resources of which the journal cannot tell, since an answer was lost or an import was under way
	problems  int
	texts     []string // of the first problems
}

// wrong adds a problem with a file.
func (r *report) wrong(file, format string, args ...any) {
	if r.problems++; r.problems <= maxPrinted {
		r.texts = append(r.texts, file+": "+fmt.Sprintf(format, args...))
	}
}

// print says what was found, one sentence a line.
func (r report) print(out io.Writer) {
	for _, text := range r.texts {
		fmt.Fprintln(out, text)
	}
	if more := r.problems - len(r.texts); more > 0 {
		fmt.Fprintf(out, "... and %d more\n", more)
	}
	fmt.Fprintf(out, "proved %d resources; %d undecided; %d problems\n", r.proved, r.undecided, r.problems)
}
