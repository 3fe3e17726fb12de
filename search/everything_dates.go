package search

import (
	"math"
	"strings"

	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/r4"
	"tarn/store"
)

// careDates is the date of a resource that start and end of $everything are compared with, by type: the first of the
// elements that there is. Of a period it is the start; an element with a choice of types goes by its name alone. Types
// that are not here have no such date: Patient, Group, BodyStructure, Person, RelatedPerson, MolecularSequence and others.
var careDates = map[string][]string{
	"AdverseEvent":                {"date", "detected", "recordedDate"},
	"AllergyIntolerance":          {"recordedDate", "onset"},
	"Appointment":                 {"start", "created"},
	"AppointmentResponse":         {"start"},
	"AuditEvent":                  {"recorded"},
	"Basic":                       {"created"},
	"CarePlan":                    {"period", "created"},
	"CareTeam":                    {"period"},
	"ChargeItem":                  {"occurrence", "enteredDate"},
	"Claim":                       {"billablePeriod", "created"},
	"ClaimResponse":               {"created"},
	"ClinicalImpression":          {"effective", "date"},
	"Communication":               {"sent", "received"},
	"CommunicationRequest":        {"occurrence", "authoredOn"},
	"Composition":                 {"date"},
	"Condition":                   {"onset", "recordedDate"},
	"Consent":                     {"dateTime"},
	"Coverage":                    {"period"},
	"CoverageEligibilityRequest":  {"serviced", "created"},
	"CoverageEligibilityResponse": {"serviced", "created"},
	"DetectedIssue":               {"identified"},
	"DeviceRequest":               {"occurrence", "authoredOn"},
	"DeviceUseStatement":          {"timing", "recordedOn"},
	"DiagnosticReport":            {"effective", "issued"},
	"DocumentManifest":            {"created"},
	"DocumentReference":           {"date"},
	"Encounter":                   {"period"},
	"EnrollmentRequest":           {"created"},
	"EpisodeOfCare":               {"period"},
	"ExplanationOfBenefit":        {"billablePeriod", "created"},
	"FamilyMemberHistory":         {"date"},
	"Flag":                        {"period"},
	"Goal":                        {"start", "statusDate"},
	"GuidanceResponse":            {"occurrenceDateTime"},
	"ImagingStudy":                {"started"},
	"Immunization":                {"occurrence", "recorded"},
	"ImmunizationEvaluation":      {"date"},
	"ImmunizationRecommendation":  {"date"},
	"Invoice":                     {"date"},
	"List":                        {"date"},
	"MeasureReport":               {"date", "period"},
	"Media":                       {"created", "issued"},
	"MedicationAdministration":    {"effective"},
	"MedicationDispense":          {"whenHandedOver", "whenPrepared"},
	"MedicationRequest":           {"authoredOn"},
	"MedicationStatement":         {"effective", "dateAsserted"},
	"NutritionOrder":              {"dateTime"},
	"Observation":                 {"effective", "issued"},
	"Procedure":                   {"performed"},
	"Provenance":                  {"occurred", "recorded"},
	"QuestionnaireResponse":       {"authored"},
	"RequestGroup":                {"authoredOn"},
	"ResearchSubject":             {"period"},
	"RiskAssessment":              {"occurrence"},
	"Schedule":                    {"planningHorizon"},
	"ServiceRequest":              {"occurrence", "authoredOn"},
	"Specimen":                    {"collection.collected", "receivedTime"},
	"SupplyDelivery":              {"occurrence"},
	"SupplyRequest":               {"occurrence", "authoredOn"},
	"Task":                        {"executionPeriod", "authoredOn"},
	"VisionPrescription":          {"dateWritten", "created"},
}

// careSpan is a time from one instant up to another.
type careSpan struct{ from, to fhir.Instant }

// always is the span without bounds.
var always = careSpan{math.MinInt64, math.MaxInt64}

// inCare are those of the resources whose date lies within start and end. One without a date is among them.
func (e *everythingAbout) inCare(typ r4.Code, ordinals []store.Ordinal) ([]store.Ordinal, error) {
	if e.reader == nil {
		e.reader = e.s.readers.Get().(*reader)
	}
	elements := careDates[typ.String()]
	kept := ordinals[:0]
	for from := 0; from < len(ordinals); from += mostBatch {
		some := ordinals[from:min(from+mostBatch, len(ordinals))]
		versions, err := e.v.ReadOrdinals(e.ctx, typ, some)
		if err != nil {
			return nil, err
		}
		for i, v := range versions {
			if v.Body == nil {
				continue
			}
			doc, err := e.reader.parser.Scan(v.Body)
			if err != nil {
				return nil, fault.Errorf(fault.Internal, "search", "a stored %s cannot be read: %w", typ, err)
			}
			at, ok := careDate(doc.Root(), elements)
			if !ok || at.to > e.q.care.from && at.from < e.q.care.to {
				kept = append(kept, some[i])
			}
		}
	}
	return kept, nil
}

// careDate is the first of the elements that holds a date.
func careDate(resource fhir.Node, elements []string) (careSpan, bool) {
	for _, element := range elements {
		n, name := resource, element
		if outer, inner, deeper := strings.Cut(element, "."); deeper {
			n, name = resource.Member(outer), inner
		}
		for m := n.First(); m.Exists(); m = m.Next() {
			if key := m.Key(); len(key) < len(name) || string(key[:len(name)]) != name || !dated[string(key[len(name):])] {
				continue
			}
			at := m
			switch m.Kind() {
			case fhir.Object: // a Period, or a Timing
				if at = m.Member("start"); !at.Exists() {
					if at = m.Member("event").First(); !at.Exists() {
						at = m.Member("end")
					}
				}
			case fhir.Array:
				at = m.First()
			}
			if at.Kind() != fhir.String {
				continue
			}
			if from, to, ok := parseSpan(string(at.AppendText(nil))); ok {
				return careSpan{from, to}, true
			}
		}
	}
	return careSpan{}, false
}

// dated are what may follow an element's name: the types of a choice that tell a date.
var dated = map[string]bool{"": true, "DateTime": true, "Date": true, "Period": true, "Instant": true, "Timing": true}
