package interaction

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/r4"
	"tarn/store"
)

// Matcher finds what the criteria of conditional interactions select; the search service does.
type Matcher interface {
	// MatchAt gives at most limit live resources of the type as of the view; base is the URL of the data store. An unknown
	// parameter is an error that names it, never passed over. It is called with the view of a store.Guard too.
	MatchAt(ctx context.Context, v *store.View, base string, typ r4.Code, criteria string, limit int) ([]store.Version, error)
	// MeetsAt says which of some resources that are not stored meet the criteria, by their index entries.
	MeetsAt(ctx context.Context, v *store.View, base string, typ r4.Code, criteria string, resources [][]fhir.IndexEntry) ([]bool, error)
}

// UseMatcher lets conditional interactions be carried out. It is called before the service is.
func (s *Service) UseMatcher(m Matcher) { s.matcher = m }

// ErrMoved is what a Guard of Criteria fails a transaction with: other resources meet the criteria than when they were
// looked at. Whoever made the transaction looks again.
var ErrMoved = fault.Errorf(fault.Conflict, "interaction", "What the criteria match changes too often; send the request again.")

// Where are criteria as they came: Query is a query with or without "?" or "Type?" before it. Base is the URL of the data
// store, so that references below it are known to be local.
type Where struct{ Base, Query string }

// Criteria select resources of one type by search parameters (FHIR R4 section 3.1.0.4.3).
type Criteria struct {
	Type  r4.Code
	Query string     // name=value&...
	base  string     // URL of the data store, without a slash at its end
	types []r4.Code  // that decide what they select; nil: any
	query url.Values // Query taken apart
}

// ParseCriteria reads criteria for a type. There must be some, each must have a value, and none may be a parameter that
// only shapes the answer of a search.
func ParseCriteria(t r4.Code, w Where) (Criteria, error) {
	text := w.Query
	if name, rest, ok := strings.Cut(text, "?"); ok && !strings.Contains(name, "=") {
		if name != "" && name != t.String() {
			return Criteria{}, badCriteria(fhir.CodeInvalid, fmt.Sprintf("The criteria are for another type than %s.", t))
		}
		text = rest
	}
	c := Criteria{Type: t, Query: text, base: strings.TrimSuffix(w.Base, "/"), types: []r4.Code{t}}
	var err error
	if c.query, err = url.ParseQuery(text); err != nil {
		return Criteria{}, badCriteria(fhir.CodeInvalid, "The criteria are not escaped as a query of a URL is.")
	}
	if len(c.query) == 0 {
		return Criteria{}, badCriteria("required", "A conditional interaction needs criteria, such as identifier=system|value.")
	}
	for name, values := range c.query {
		bare, modifier, _ := strings.Cut(name, ":")
		if slices.Contains(shaping, bare) {
			return Criteria{}, badCriteria(fhir.CodeInvalid, fmt.Sprintf("The parameter %s is no criterion: it only shapes the answer of a search.", bare))
		}
		if slices.Contains(values, "") {
			return Criteria{}, badCriteria(fhir.CodeValue, fmt.Sprintf("The parameter %s has no value, so it would select everything.", clip(name)))
		}
		if modifier != "" && modifier != "exact" && modifier != "contains" && modifier != "missing" && modifier != "not" || strings.Contains(bare, ".") {
			c.types = nil // chains, _has and value sets look at other types
		}
	}
	return c, nil
}

// shaping are the parameters of a search that select nothing (FHIR R4 section 3.1.1.5).
var shaping = []string{"_count", "_sort", "_include", "_revinclude", "_summary", "_elements", "_total", "_contained", "_containedType", "_score", "_format", "_pretty"}

func badCriteria(code, sentence string) error {
	return fhir.NewOutcomeError(fault.Invalid, "interaction.ParseCriteria", fhir.Issue{Severity: fhir.SeverityError, Code: code, Diagnostics: sentence})
}

func clip(s string) string {
	if len(s) > 80 {
		return strings.ToValidUTF8(s[:80], "") + "..."
	}
	return s
}

// id is the id that the criteria name, and whether they name nothing else.
func (c *Criteria) id() (id string, alone bool) {
	if ids := c.query["_id"]; len(ids) == 1 && fhir.ValidID(ids[0]) {
		return ids[0], len(c.query) == 1
	}
	return "", false
}

// MatchOne is the resource that meets the criteria as of the view, if there is one. Several are fault.Precondition.
func (s *Service) MatchOne(ctx context.Context, v *store.View, c Criteria) (_ store.Version, found bool, _ error) {
	matches, err := s.match(ctx, v, c, 2)
	switch {
	case err != nil || len(matches) == 0:
		return store.Version{}, false, err
	case len(matches) > 1:
		return store.Version{}, false, severalMatches(c.Type)
	}
	return matches[0], true, nil
}

func severalMatches(t r4.Code) error {
	return fhir.NewOutcomeError(fault.Precondition, "interaction.MatchOne", fhir.Issue{
		Severity: fhir.SeverityError, Code: "multiple-matches",
		Diagnostics: fmt.Sprintf("Several resources of type %s meet the criteria; they must select one.", t)})
}

func (s *Service) match(ctx context.Context, v *store.View, c Criteria, limit int) ([]store.Version, error) {
	if s.matcher == nil {
		return nil, fault.Errorf(fault.Unsupported, "interaction.match", "Conditional interactions are not offered.")
	}
	return s.matcher.MatchAt(ctx, v, c.base, c.Type, c.Query, limit)
}

// Guard fails a transaction with ErrMoved unless, when it commits, the criteria select exactly the resource with this id
// (empty: none), which they did as of asOf.
func (s *Service) Guard(c Criteria, asOf store.TxID, id string) store.Guard {
	return store.Guard{Types: c.types, AsOf: asOf, Check: func(ctx context.Context, v *store.View) error {
		matches, err := s.match(ctx, v, c, 2)
		switch {
		case err != nil:
			return err
		case id == "" && len(matches) == 0, len(matches) == 1 && matches[0].ID == id:
			return nil
		}
		return ErrMoved
	}}
}

// mostAttempts bounds how often a conditional interaction begins again because of others; each time one of them went on.
const mostAttempts = 100

// settle calls try with the newest view until it is not overtaken by others.
func (s *Service) settle(ctx context.Context, datastore string, try func(*store.Store, *store.View) error) error {
	st, err := s.datastores.Store(ctx, datastore)
	if err != nil {
		return err
	}
	for range mostAttempts {
		v, opening := st.Latest(ctx)
		if opening != nil {
			return opening
		}
		err = try(st, v)
		if closing := v.Close(); err == nil {
			err = closing
		}
		if !errors.Is(err, ErrMoved) {
			return err
		}
	}
	return err
}
