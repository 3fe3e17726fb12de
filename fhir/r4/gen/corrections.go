package main

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// corrections are the differences between the npm package and HL7's own definitions of 4.0.1, each with its reason.
//
//go:embed corrections.json
var corrections []byte

type correction struct {
	Reason    string
	Structure string     // its elements change: Drop first, with all below them, then Put
	Drop      []string   // ids
	Put       []*element // in place of the element of the same id, or after the element After
	After     string
	Param     string   // URL of a search parameter
	Remove    bool     // Param is not of R4
	Target    []string // of Param
}

func (src *source) correct() error {
	var all []correction
	if err := json.Unmarshal(corrections, &all); err != nil {
		return fmt.Errorf("corrections.json: %w", err)
	}
	for _, c := range all {
		if err := src.apply(c); err != nil {
			return fmt.Errorf("corrections.json: %s%s: %w", c.Structure, c.Param, err)
		}
	}
	for _, p := range src.params {
		p.Expression = asHL7(p.Expression)
		for i := range p.Component {
			p.Component[i].Expression = asHL7(p.Component[i].Expression)
		}
	}
	return nil
}

func (src *source) apply(c correction) error {
	if c.Param != "" {
		p := src.params[c.Param]
		switch {
		case p == nil:
			return fmt.Errorf("the search parameter is not there")
		case c.Remove:
			delete(src.params, c.Param)
		default:
			p.Target = c.Target
		}
		return nil
	}
	sd := src.structures[c.Structure]
	if sd == nil {
		return fmt.Errorf("the structure is not there")
	}
	elements := &sd.Snapshot.Element
	for _, id := range c.Drop {
		before := len(*elements)
		*elements = slices.DeleteFunc(*elements, func(e *element) bool { return e.ID == id || strings.HasPrefix(e.ID, id+".") })
		if before == len(*elements) {
			return fmt.Errorf("%s is not there", id)
		}
	}
	after := c.After
	for _, e := range c.Put {
		at := slices.IndexFunc(*elements, func(old *element) bool { return old.ID == e.ID })
		if at >= 0 {
			(*elements)[at] = e
			continue
		}
		at = slices.IndexFunc(*elements, func(old *element) bool { return old.ID == after })
		if at < 0 {
			return fmt.Errorf("%s has no place", e.ID)
		}
		*elements = slices.Insert(*elements, at+1, e)
		after = e.ID
	}
	return nil
}

var (
	bracketed = regexp.MustCompile(`\(([A-Za-z.\[\]0-9]+)\.ofType\((\w+)\)\)`)
	bare      = regexp.MustCompile(`\.ofType\((\w+)\)`)
)

// asHL7 undoes what Medplum did to every cast of a search parameter: HL7 writes (X as T) and X.as(T), never ofType.
func asHL7(expression string) string {
	return bare.ReplaceAllString(bracketed.ReplaceAllString(expression, "($1 as $2)"), ".as($1)")
}
