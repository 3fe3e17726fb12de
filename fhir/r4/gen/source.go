package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

const fhirVersion = "4.0.1"

// source is what the package says, by canonical URL.
type source struct {
	structures   map[string]*structureDefinition
	valueSets    map[string]*valueSet
	codeSystems  map[string]*codeSystem
	params       map[string]*searchParameter
	compartments map[string]*compartmentDefinition
}

type structureDefinition struct {
	URL         string `json:"url"`
	Name        string `json:"name"`
	Type        string `json:"type"`
	Kind        string `json:"kind"`
	Derivation  string `json:"derivation"`
	FHIRVersion string `json:"fhirVersion"`
	Abstract    bool   `json:"abstract"`
	Snapshot    struct {
		Element []*element `json:"element"`
	} `json:"snapshot"`
}

// element is the part of an ElementDefinition that the table keeps.
type element struct {
	ID   string `json:"id"`
	Path string `json:"path"`
	Min  int    `json:"min"`
	Max  string `json:"max"`
	Base struct {
		Path string `json:"path"`
		Max  string `json:"max"`
	} `json:"base"`
	Type             []elementType `json:"type,omitempty"`
	ContentReference string        `json:"contentReference,omitempty"`
	IsSummary        bool          `json:"isSummary,omitempty"`
	IsModifier       bool          `json:"isModifier,omitempty"`
	Binding          *struct {
		Strength string `json:"strength"`
		ValueSet string `json:"valueSet,omitempty"`
	} `json:"binding,omitempty"`
	Constraint []constraint `json:"constraint,omitempty"`
}

type elementType struct {
	Code          string   `json:"code"`
	Profile       []string `json:"profile,omitempty"`
	TargetProfile []string `json:"targetProfile,omitempty"`
}

type constraint struct {
	Key        string `json:"key"`
	Severity   string `json:"severity"`
	Human      string `json:"human"`
	Expression string `json:"expression,omitempty"`
}

type valueSet struct {
	URL     string `json:"url"`
	Compose struct {
		Include []conceptSet `json:"include"`
		Exclude []conceptSet `json:"exclude"`
	} `json:"compose"`
}

type conceptSet struct {
	System  string `json:"system"`
	Concept []struct {
		Code string `json:"code"`
	} `json:"concept"`
	Filter []struct {
		Property, Op, Value string
	} `json:"filter"`
	ValueSet []string `json:"valueSet"`
}

type codeSystem struct {
	URL              string    `json:"url"`
	Content          string    `json:"content"`
	HierarchyMeaning string    `json:"hierarchyMeaning"`
	Concept          []concept `json:"concept"`
}

type concept struct {
	Code     string    `json:"code"`
	Concept  []concept `json:"concept"`
	Property []struct {
		Code      string `json:"code"`
		ValueCode string `json:"valueCode"`
	} `json:"property"`
}

type searchParameter struct {
	URL        string   `json:"url"`
	Code       string   `json:"code"`
	Base       []string `json:"base"`
	Type       string   `json:"type"`
	Expression string   `json:"expression"`
	Target     []string `json:"target"`
	Component  []struct {
		Definition string `json:"definition"`
		Expression string `json:"expression"`
	} `json:"component"`
}

type compartmentDefinition struct {
	Code     string `json:"code"`
	Resource []struct {
		Code  string   `json:"code"`
		Param []string `json:"param"`
	} `json:"resource"`
}

// files are those that hold R4; what Medplum adds for itself stands in others.
var files = []string{"profiles-resources.json", "profiles-types.json", "search-parameters.json", "valuesets.json",
	"v3-codesystems.json", "v2-tables.json"}

func read(folder string) (*source, error) {
	src := &source{map[string]*structureDefinition{}, map[string]*valueSet{}, map[string]*codeSystem{},
		map[string]*searchParameter{}, map[string]*compartmentDefinition{}}
	for _, file := range files {
		text, err := os.ReadFile(filepath.Join(folder, file))
		if err != nil {
			return nil, err
		}
		var bundle struct {
			Entry []struct{ Resource json.RawMessage }
		}
		if err := json.Unmarshal(text, &bundle); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		for _, e := range bundle.Entry {
			if err := src.add(e.Resource); err != nil {
				return nil, fmt.Errorf("%s: %w", file, err)
			}
		}
	}
	return src, nil
}

func (src *source) add(text []byte) error {
	var head struct{ ResourceType, URL, Code string }
	if err := json.Unmarshal(text, &head); err != nil {
		return err
	}
	switch head.ResourceType {
	case "StructureDefinition":
		sd := new(structureDefinition)
		if err := json.Unmarshal(text, sd); err != nil {
			return err
		}
		// SubscriptionStatus is of 4.3.0; MetadataResource is a name for a group of types and has no content.
		if sd.FHIRVersion == fhirVersion && sd.Derivation != "constraint" && sd.Name != "MetadataResource" {
			src.structures[sd.Name] = sd
		}
		return nil
	case "ValueSet":
		return keep(src.valueSets, head.URL, text)
	case "CodeSystem":
		return keep(src.codeSystems, head.URL, text)
	case "SearchParameter":
		return keep(src.params, head.URL, text)
	case "CompartmentDefinition":
		return keep(src.compartments, head.Code, text)
	}
	return nil
}

// keep keeps the first of a URL: valuesets.json repeats some of v3.
func keep[T any](in map[string]*T, url string, text []byte) error {
	if in[url] != nil {
		return nil
	}
	v := new(T)
	in[url] = v
	return json.Unmarshal(text, v)
}

func unversioned(canonical string) string {
	url, _, _ := strings.Cut(canonical, "|")
	return url
}
