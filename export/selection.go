package export

import (
	"fmt"
	"slices"
	"strings"

	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/r4"
)

// Level is whose data an export holds.
type Level string

// The levels of HL7's Bulk Data Access.
const (
	System   Level = ""        // everything
	Patients Level = "Patient" // the compartments of all patients, or of some
	OfGroup  Level = "Group"   // the compartments of a group's members
)

// Selection says which resources an export holds; the zero Selection is everything. It is fixed in the job's record.
// Bulk Data Access 3.0.0, section "Query Parameters", says what each part means.
type Selection struct {
	Level      Level        `json:"level,omitempty"`
	Group      string       `json:"group,omitempty"`    // id of the Group
	Patients   []string     `json:"patients,omitempty"` // ids; of the level's patients only these
	Types      []string     `json:"types,omitempty"`    // none: all
	Since      fhir.Instant `json:"since,omitempty"`    // changed after it; 0: always
	Until      fhir.Instant `json:"until,omitempty"`    // changed at or before it; 0: until now
	Filters    []string     `json:"filters,omitempty"`  // _typeFilter: Type?query; those of one type are OR-ed
	See        []string     `json:"see,omitempty"`      // with Filters: types that chains and _has may tell of; none: all
	Tags       []string     `json:"tags,omitempty"`     // system|code; all of them
	Security   []string     `json:"security,omitempty"` // system|code; all of them
	Elements   []string     `json:"elements,omitempty"` // element or Type.element
	Associated string       `json:"associated,omitempty"`
	References bool         `json:"references,omitempty"` // what the chosen refer to outside the compartments too
	Organize   string       `json:"organize,omitempty"`   // ByPatient, or empty
	Deleted    bool         `json:"deleted,omitempty"`    // tell what was deleted after Since
}

// The values of includeAssociatedData.
const (
	LatestProvenance   = "LatestProvenanceResources"   // only the newest Provenance of each resource
	RelevantProvenance = "RelevantProvenanceResources" // every Provenance of the resources
)

// ByPatient is the value of organizeOutputBy: files of blocks, each of a header and what belongs to one patient. What
// belongs to none is left out.
const ByPatient = "Patient"

// whole reports whether the selection is the whole data store, so that its parts are ordinal ranges.
func (s *Selection) whole() bool {
	return s.Level == System && s.Group == "" && len(s.Patients) == 0 && s.Since == 0 && s.Until == 0 && len(s.Filters) == 0 && len(s.Tags) == 0 &&
		len(s.Security) == 0 && s.Associated == "" && !s.References && s.Organize == "" && !s.Deleted
}

// isZero reports whether nothing at all is asked for.
func (s *Selection) isZero() bool {
	return s.whole() && len(s.Types) == 0 && len(s.Elements) == 0
}

// wants reports whether resources of a type are asked for at all.
func (s *Selection) wants(code r4.Code) bool {
	if len(s.Types) > 0 && !slices.Contains(s.Types, code.String()) {
		return false
	}
	return s.Level == System && s.Organize == "" || code == patientCode || s.References || code == provenanceCode || code == groupCode && s.Level == OfGroup ||
		len(code.Compartment(patientCode)) > 0
}

// seen are the codes of See; nil: all.
func (s *Selection) seen() (codes []r4.Code) {
	for _, name := range s.See {
		if code, ok := r4.CodeOf(name); ok {
			codes = append(codes, code)
		}
	}
	return codes
}

// Narrow leaves only these types of what is selected; false where nothing is left.
func (s *Selection) Narrow(types []string) bool {
	if len(types) == len(r4.Types()) {
		return true
	}
	var left []string
	for _, name := range types {
		if code, ok := r4.CodeOf(name); ok && s.wants(code) {
			left = append(left, name)
		}
	}
	s.Types = left
	return len(left) > 0
}

var (
	patientCode, _    = r4.CodeOf("Patient")
	groupCode, _      = r4.CodeOf("Group")
	provenanceCode, _ = r4.CodeOf("Provenance")
)

// Bounds of a Selection.
const (
	maxPatients = 10_000
	maxFilters  = 100
	maxElements = 200
)

// refuse is the error that a parameter of the standard cannot be used.
func refuse(name, format string, args ...any) error {
	return fhir.NewOutcomeError(fault.Invalid, "export.Selection", fhir.Issue{Severity: fhir.SeverityError, Code: fhir.CodeValue,
		Diagnostics: fmt.Sprintf("The parameter %s cannot be used: %s.", name, fmt.Sprintf(format, args...))})
}

// check refuses what cannot be meant. Errors name the parameter of the standard.
func (s *Selection) check() error {
	switch s.Level {
	case System:
		if len(s.Patients) > 0 {
			return refuse("patient", "it belongs to exports of patients or of a group")
		}
	case Patients, OfGroup:
	default:
		return fault.Errorf(fault.Internal, "export.Selection", "level %q", string(s.Level))
	}
	if (s.Level == OfGroup) != (s.Group != "") || s.Group != "" && !fhir.ValidID(s.Group) {
		return fault.Errorf(fault.Internal, "export.Selection", "level %q with group %q", string(s.Level), s.Group)
	}
	for _, name := range s.Types {
		code, ok := r4.CodeOf(name)
		if !ok {
			return refuse("_type", "%q is no resource type of FHIR R4", name)
		}
		one := Selection{Level: s.Level, References: s.References, Organize: s.Organize}
		if !one.wants(code) {
			return refuse("_type", "resources of the type %s belong to no patient", name)
		}
	}
	if s.Since != 0 && s.Until != 0 && s.Until <= s.Since {
		return refuse("_until", "it is not after _since")
	}
	if len(s.Patients) > maxPatients {
		return refuse("patient", "there are %d of them; the most is %d", len(s.Patients), maxPatients)
	}
	for _, id := range s.Patients {
		if !fhir.ValidID(id) {
			return refuse("patient", "it is no reference to a Patient of this data store")
		}
	}
	if len(s.Filters) > maxFilters {
		return refuse("_typeFilter", "there are %d of them; the most is %d", len(s.Filters), maxFilters)
	}
	for _, f := range s.Filters {
		name, _, ok := strings.Cut(f, "?")
		code, known := r4.CodeOf(name)
		if !ok || !known {
			return refuse("_typeFilter", "it is not of the form Type?query")
		}
		if len(s.Types) > 0 && !slices.Contains(s.Types, code.String()) {
			return refuse("_typeFilter", "it is about %s, which _type leaves out", name)
		}
		if s.Organize != "" && s.References && code != patientCode && len(code.Compartment(patientCode)) == 0 {
			return refuse("_typeFilter", "with organizeOutputBy resources of the type %s follow those that refer to them, and no filter is offered for them", name)
		}
	}
	switch s.Associated {
	case "", LatestProvenance, RelevantProvenance:
	default:
		return refuse("includeAssociatedData", "%q is not offered; %s and %s are", s.Associated, LatestProvenance, RelevantProvenance)
	}
	switch s.Organize {
	case "", ByPatient:
	default:
		return refuse("organizeOutputBy", "only Patient is offered")
	}
	return s.checkElements()
}

func (s *Selection) checkElements() error {
	if len(s.Elements) > maxElements {
		return refuse("_elements", "there are %d of them; the most is %d", len(s.Elements), maxElements)
	}
	for _, e := range s.Elements {
		name, element, typed := strings.Cut(e, ".")
		if !typed {
			if name == "" {
				return refuse("_elements", "an element has no name")
			}
			if name != "resourceType" && !s.someHas(name) {
				return refuse("_elements", "no type that is exported has an element %q at its root", name)
			}
			continue
		}
		code, ok := r4.CodeOf(name)
		if !ok {
			return refuse("_elements", "%q is no resource type of FHIR R4", name)
		}
		if strings.Contains(element, ".") || !hasElement(code, element) {
			return refuse("_elements", "%s has no element %q at its root", name, element)
		}
	}
	return nil
}

// someHas reports whether one of the types that may be exported has a root element of this name.
func (s *Selection) someHas(element string) bool {
	return slices.ContainsFunc(r4.Types(), func(name string) bool {
		code, _ := r4.CodeOf(name)
		return s.wants(code) && hasElement(code, element)
	})
}

// hasElement reports whether a resource type has a root element of this name: value for value[x] too.
func hasElement(code r4.Code, name string) bool {
	s := code.Resource()
	if s == nil {
		return false
	}
	for i := range s.Elements {
		if e := &s.Elements[i]; e.Name == name || e.Choice && strings.TrimSuffix(e.Name, "[x]") == name {
			return true
		}
	}
	_, ok := s.FindString(name)
	return ok
}
