package index

import "time"

// Env is what a search value may depend on beside the definitions.
type Env struct {
	Base     string    // URL of the data store's FHIR service without a last slash: references that begin with it are local
	Now      time.Time // what "approximately" is measured from
	Resolver Resolver  // for :in, :not-in, :above and :below of tokens; nil refuses them
}

// Coding is a code of a code system; an empty system is any.
type Coding struct{ System, Code string }

// Resolver knows terminology. An error says that it cannot decide, in a sentence for the client.
type Resolver interface {
	// ValueSet lists all codes of the value set.
	ValueSet(url string) ([]Coding, error)
	// Below lists the code itself and all that it subsumes.
	Below(of Coding) ([]Coding, error)
	// Above lists the code itself and all that subsume it.
	Above(of Coding) ([]Coding, error)
}
