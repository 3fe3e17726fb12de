package bulk

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"tarn/export"
	"tarn/fault"
	"tarn/fhir"
)

// params are the parameters of a kick-off, from the URL or from a Parameters resource, in their order.
type params struct {
	list    []param
	base    string   // of the data store, without a last slash
	daVinci bool     // of $davinci-data-export, which has more of them
	lenient bool     // Prefer: handling=lenient
	ignored []string // what was passed over, in sentences
}

type param struct{ name, value string }

// refuse is the error that a parameter cannot be used.
func refuse(name, format string, args ...any) error {
	return fhir.NewOutcomeError(fault.Invalid, "bulk", fhir.Issue{Severity: fhir.SeverityError, Code: fhir.CodeValue,
		Diagnostics: fmt.Sprintf("The parameter %s cannot be used: %s.", name, fmt.Sprintf(format, args...))})
}

// queryParams reads the query of a URL.
func queryParams(r *http.Request) (params, error) {
	p := params{lenient: prefers(r, "handling", "lenient")}
	for part := range strings.SplitSeq(r.URL.RawQuery, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		n, err := url.QueryUnescape(name)
		if err == nil {
			value, err = url.QueryUnescape(value)
		}
		if err != nil {
			return p, refuse(name, "it is not well escaped")
		}
		p.list = append(p.list, param{n, value})
	}
	return p, nil
}

// prefers reports whether a preference of the Prefer header (RFC 7240) has the value.
func prefers(r *http.Request, name, value string) bool {
	for _, line := range r.Header.Values("Prefer") {
		for part := range strings.FieldsFuncSeq(line, func(c rune) bool { return c == ',' || c == ';' }) {
			k, v, _ := strings.Cut(strings.TrimSpace(part), "=")
			if strings.EqualFold(k, name) && strings.EqualFold(strings.Trim(v, `"`), value) {
				return true
			}
		}
	}
	return false
}

// single are the parameters that a kick-off has once.
var single = []string{"_outputFormat", "_since", "_until", "organizeOutputBy", "exportType"}

// selection is what the parameters ask for (Bulk Data Access 3.0.0, section "Query Parameters"). A list may be repeated,
// or divided by commas.
func (p *params) selection(level export.Level, group string, posted bool) (export.Selection, error) {
	s := export.Selection{Level: level, Group: group}
	for i, q := range p.list {
		if slices.Contains(single, q.name) && slices.ContainsFunc(p.list[:i], func(before param) bool { return before.name == q.name && before.value != q.value }) {
			return s, refuse(q.name, "it is given twice, with different values")
		}
		if err := p.take(&s, q, posted); err != nil {
			return s, err
		}
	}
	s.Deleted = s.Since != 0
	if s.Organize != "" && level == export.System {
		p.ignored = append(p.ignored, "What belongs to no patient is left out, as organizeOutputBy=Patient has it.")
	}
	if s.Associated != "" && len(s.Types) > 0 {
		s.Types = append(s.Types, "Provenance") // asked for, although _type does not name it
	}
	for _, list := range []*[]string{&s.Types, &s.Elements, &s.Patients} {
		slices.Sort(*list)
		*list = slices.Compact(*list)
	}
	return s, nil
}

func (p *params) take(s *export.Selection, q param, posted bool) (err error) {
	switch q.name {
	case "_outputFormat":
		switch strings.ReplaceAll(q.value, " ", "+") { // a plus that was not escaped
		case "", "application/fhir+ndjson", "application/ndjson", "ndjson":
		default:
			return refuse(q.name, "%q is not offered; application/fhir+ndjson is", clip(q.value))
		}
	case "_since":
		if s.Since, err = instant(q); s.Since < 1 { // nothing is older; 0 would be none
			s.Since = 1
		}
	case "_until":
		if s.Until, err = instant(q); err == nil && s.Until < 1 {
			err = refuse(q.name, "no data store has anything from before 1970")
		}
	case "_type":
		s.Types = append(s.Types, list(q.value)...)
	case "_elements":
		s.Elements = append(s.Elements, list(q.value)...)
	case "_typeFilter":
		s.Filters = append(s.Filters, filters(q.value)...)
	case "_tag":
		s.Tags = append(s.Tags, list(q.value)...)
	case "_security":
		s.Security = append(s.Security, list(q.value)...)
	case "patient":
		if !posted {
			return p.pass(q.name, "it goes with POST only")
		}
		for _, ref := range list(q.value) {
			r := fhir.ParseReference(ref)
			if r.Type != "Patient" || r.ID == "" {
				return refuse(q.name, "it is no reference to a Patient")
			}
			if r.Kind == fhir.AbsoluteReference && r.Base != p.base {
				return refuse(q.name, "it names a Patient of another server than this data store")
			}
			s.Patients = append(s.Patients, r.ID)
		}
	case "includeAssociatedData":
		for _, v := range list(q.value) {
			switch v {
			case export.RelevantProvenance: // of both, the one that gives most
				s.Associated = v
			case export.LatestProvenance:
				if s.Associated == "" {
					s.Associated = v
				}
			case "_ReferencedResources":
				s.References = true
			default:
				err = p.pass(q.name, "%q is not offered; %s, %s and _ReferencedResources are", clip(v), export.LatestProvenance, export.RelevantProvenance)
			}
		}
	case "organizeOutputBy":
		switch q.value {
		case "":
		case export.ByPatient:
			s.Organize = q.value
		default:
			err = p.pass(q.name, "%q is not offered; %s is", clip(q.value), export.ByPatient)
		}
	case "exportType":
		if !p.daVinci {
			return p.pass(q.name, "it goes with $davinci-data-export only")
		}
		if q.value != "" && q.value != memberAttribution {
			err = p.pass(q.name, "%q is not offered; %s is", clip(q.value), memberAttribution)
		}
	case "allowPartialManifests", "_format", "_pretty":
	default:
		err = p.pass(q.name, "an export does not know it")
	}
	return err
}

// pass passes over a parameter if the caller is lenient, and says so; else it is refused.
func (p *params) pass(name, format string, args ...any) error {
	err := refuse(name, format, args...)
	if !p.lenient {
		return err
	}
	p.ignored = append(p.ignored, fmt.Sprintf("The parameter %s was passed over: %s.", clip(name), fmt.Sprintf(format, args...)))
	return nil
}

func instant(q param) (fhir.Instant, error) {
	at, err := fhir.ParseInstant(strings.ReplaceAll(q.value, " ", "+"))
	if err != nil {
		return 0, refuse(q.name, "it is no instant such as 2026-01-31T12:00:00Z")
	}
	return at, nil
}

// list divides a value at commas.
func list(value string) []string {
	var all []string
	for part := range strings.SplitSeq(value, ",") {
		if part = strings.TrimSpace(part); part != "" {
			all = append(all, part)
		}
	}
	return all
}

// filters divides a _typeFilter at the commas behind which another one begins: a comma within a search is an OR.
func filters(value string) []string {
	var all []string
	for part := range strings.SplitSeq(value, ",") {
		name, _, ok := strings.Cut(part, "?")
		if len(all) > 0 && (!ok || name == "" || name[0] < 'A' || name[0] > 'Z') {
			all[len(all)-1] += "," + part
		} else if part != "" {
			all = append(all, part)
		}
	}
	return all
}

func clip(s string) string {
	if len(s) > 80 {
		return strings.ToValidUTF8(s[:80], "") + "..."
	}
	return s
}
