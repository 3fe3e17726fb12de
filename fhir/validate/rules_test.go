package validate_test

import (
	"strings"
	"testing"

	"tarn/fhir"
	"tarn/fhir/validate"
)

// Each line breaks one invariant. Required elements may be missing beside it.
const broken = `
age-1 Condition "onsetAge":{"value":-1,"system":"http://unitsofmeasure.org","code":"a"}
ait-1 AllergyIntolerance "patient":{"display":"x"}
ait-2 AllergyIntolerance "clinicalStatus":{"text":"x"},"verificationStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/allergyintolerance-verification","code":"entered-in-error"}]}
app-1 Appointment "participant":[{"status":"accepted"}]
app-2 Appointment "start":"2020-01-01T00:00:00Z"
app-3 Appointment "status":"booked"
app-4 Appointment "status":"booked","cancelationReason":{"text":"x"}
apr-1 AppointmentResponse "participantStatus":"accepted"
att-1 Media "content":{"data":"AAAA"}
bdl-1 Bundle "type":"batch","total":1
bdl-2 Bundle "type":"batch","entry":[{"search":{"mode":"match"}}]
bdl-3 Bundle "type":"batch","entry":[{"resource":{"resourceType":"Patient"}}]
bdl-4 Bundle "type":"batch-response","entry":[{"resource":{"resourceType":"Patient"}}]
bdl-5 Bundle "type":"collection","entry":[{"fullUrl":"http://x/a"}]
bdl-7 Bundle "type":"collection","entry":[{"fullUrl":"http://x/a","resource":{"resourceType":"Patient"}},{"fullUrl":"http://x/a","resource":{"resourceType":"Patient"}}]
bdl-8 Bundle "type":"collection","entry":[{"fullUrl":"http://x/Patient/1/_history/2","resource":{"resourceType":"Patient"}}]
bdl-9 Bundle "type":"document"
bdl-10 Bundle "type":"document"
bdl-11 Bundle "type":"document","entry":[{"resource":{"resourceType":"Patient"}}]
bdl-12 Bundle "type":"message","entry":[{"resource":{"resourceType":"Patient"}}]
ces-1 CoverageEligibilityResponse "insurance":[{"item":[{"name":"x"}]}]
cmd-1 ConceptMap "group":[{"element":[{"target":[{"equivalence":"narrower"}]}]}]
cmp-1 Composition "section":[{"title":"x"}]
cmp-2 Composition "section":[{"entry":[{"display":"x"}],"emptyReason":{"text":"x"}}]
cnt-3 SearchParameter "extension":[{"url":"u","valueCount":{"value":1.5,"code":"1"}}]
con-1 Condition "stage":[{"type":{"text":"x"}}]
con-2 Condition "evidence":[{"id":"x"}]
con-4 Condition "abatementString":"x","clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]}
con-5 Condition "clinicalStatus":{"text":"x"},"verificationStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-ver-status","code":"entered-in-error"}]}
cpb-1 CapabilityStatement "kind":"instance"
cpb-2 CapabilityStatement "kind":"requirements"
cpb-9 CapabilityStatement "rest":[{"resource":[{"type":"Patient"},{"type":"Patient"}]}]
cpl-3 CarePlan "activity":[{"reference":{"display":"x"},"detail":{"status":"scheduled"}}]
cpt-2 Patient "telecom":[{"value":"1"}]
csd-0 CodeSystem "name":"has spaces"
csd-1 CodeSystem "concept":[{"code":"a","concept":[{"code":"a"}]}]
dom-2 Patient "contained":[{"resourceType":"Patient","id":"a","contained":[{"resourceType":"Patient","id":"b"}]}]
dom-3 Patient "contained":[{"resourceType":"Patient","id":"a"}]
dom-4 Patient "contained":[{"resourceType":"Patient","id":"a","meta":{"versionId":"1"}}]
dom-5 Patient "contained":[{"resourceType":"Patient","id":"a","meta":{"security":[{"code":"x"}]}}]
drt-1 Basic "extension":[{"url":"u","valueDuration":{"code":"h","system":"http://x","value":1}}]
ele-1 Patient "name":[{"id":"x"}]
eld-2 StructureDefinition "differential":{"element":[{"path":"Patient","min":2,"max":"1"}]}
eld-3 StructureDefinition "differential":{"element":[{"path":"Patient","max":"many"}]}
eld-13 StructureDefinition "differential":{"element":[{"path":"Patient.x","type":[{"code":"string"},{"code":"string"}]}]}
eld-14 StructureDefinition "differential":{"element":[{"path":"Patient.x","constraint":[{"key":"a"},{"key":"a"}]}]}
eld-16 StructureDefinition "differential":{"element":[{"path":"Patient.x","sliceName":"a b"}]}
eld-19 StructureDefinition "differential":{"element":[{"path":"Patient..x"}]}
exp-1 Measure "group":[{"population":[{"criteria":{"language":"text/cql"}}]}]
ext-1 Patient "extension":[{"url":"u"}]
fhs-1 FamilyMemberHistory "ageString":"x","bornDate":"2020"
fhs-2 FamilyMemberHistory "estimatedAge":true
gol-1 Goal "target":[{"detailString":"x"}]
grp-1 Group "actual":false,"member":[{"entity":{"display":"x"}}]
ig-1 ImplementationGuide "definition":{"grouping":[{"id":"a"}],"resource":[{"groupingId":"b"}]}
imm-1 Immunization "education":[{"presentationDate":"2020"}]
inv-1 Parameters "parameter":[{"name":"x"}]
inv-1 Task "authoredOn":"2021-01-01","lastModified":"2020-01-01"
ipn-1 InsurancePlan "status":"draft"
lnk-1 Linkage "item":[{"type":"source"}]
lst-1 List "emptyReason":{"text":"x"},"entry":[{"item":{"display":"x"}}]
lst-2 List "mode":"working","entry":[{"deleted":true}]
mad-1 MedicationAdministration "dosage":{"text":"x"}
mdd-1 MedicationDispense "whenPrepared":"2020-02-01","whenHandedOver":"2020-01-01"
mrp-1 MeasureReport "type":"data-collection","group":[{"code":{"text":"x"}}]
msq-3 MolecularSequence "coordinateSystem":2
msq-6 MolecularSequence "referenceSeq":{"orientation":"sense"}
nsd-1 NamingSystem "kind":"root","uniqueId":[{"type":"uuid","value":"x"}]
nsd-2 NamingSystem "uniqueId":[{"type":"oid","preferred":true},{"type":"oid","preferred":true}]
obs-3 Observation "referenceRange":[{"age":{"low":{"value":1}}}]
obs-6 Observation "dataAbsentReason":{"text":"x"},"valueString":"x"
obs-7 Observation "code":{"coding":[{"code":"a"}]},"valueString":"x","component":[{"code":{"coding":[{"code":"a"}]}}]
opd-1 OperationDefinition "parameter":[{"name":"x"}]
org-1 Organization "active":true
org-2 Organization "address":[{"use":"home"}]
org-3 Organization "telecom":[{"use":"home"}]
pat-1 Patient "contact":[{"gender":"male"}]
per-1 Patient "name":[{"period":{"start":"2020-02","end":"2020-01"}}]
ppc-1 Consent "status":"draft"
qrs-1 QuestionnaireResponse "item":[{"linkId":"a","answer":[{"valueString":"x"}],"item":[{"linkId":"b"}]}]
qty-3 Observation "valueQuantity":{"value":1,"code":"x"}
que-1 Questionnaire "item":[{"linkId":"a","type":"group"}]
que-2 Questionnaire "item":[{"linkId":"a","type":"string"},{"linkId":"a","type":"string"}]
que-3 Questionnaire "item":[{"linkId":"a","type":"display","code":[{"code":"x"}]}]
que-7 Questionnaire "item":[{"enableWhen":[{"question":"a","operator":"exists","answerString":"x"}]}]
que-10 Questionnaire "item":[{"linkId":"a","type":"group","maxLength":3}]
que-13 Questionnaire "item":[{"initial":[{"valueString":"a"},{"valueString":"b"}],"repeats":false}]
ras-2 RiskAssessment "prediction":[{"probabilityDecimal":101}]
rat-1 Observation "valueRatio":{"numerator":{"value":1}}
ref-1 Patient "managingOrganization":{"reference":"#x"}
rng-2 Observation "valueRange":{"low":{"value":2},"high":{"value":1}}
rqg-1 RequestGroup "action":[{"title":"x"}]
sdf-5 StructureDefinition "type":"Extension","derivation":"constraint"
sdf-8 StructureDefinition "type":"Patient","snapshot":{"element":[{"path":"Patient"},{"path":"Person.x"}]}
sdf-16 StructureDefinition "snapshot":{"element":[{"id":"a","path":"Patient"},{"id":"a","path":"Patient.x"}]}
sdf-20 StructureDefinition "differential":{"element":[{"path":"Patient","slicing":{"rules":"open"}}]}
sev-1 AuditEvent "entity":[{"name":"x","query":"AAAA"}]
spd-1 SearchParameter "xpath":"x"
tim-1 ServiceRequest "occurrenceTiming":{"repeat":{"duration":1}}
tim-2 ServiceRequest "occurrenceTiming":{"repeat":{"period":1}}
tim-4 ServiceRequest "occurrenceTiming":{"repeat":{"duration":-1,"durationUnit":"h"}}
tim-5 ServiceRequest "occurrenceTiming":{"repeat":{"period":-1,"periodUnit":"h"}}
tim-6 ServiceRequest "occurrenceTiming":{"repeat":{"periodMax":1}}
tim-7 ServiceRequest "occurrenceTiming":{"repeat":{"durationMax":1}}
tim-8 ServiceRequest "occurrenceTiming":{"repeat":{"countMax":1}}
tim-9 ServiceRequest "occurrenceTiming":{"repeat":{"offset":1,"when":["C"]}}
tim-10 ServiceRequest "occurrenceTiming":{"repeat":{"timeOfDay":["10:00:00"],"when":["C"]}}
tst-5 TestScript "setup":{"action":[{"assert":{"response":"okay","responseCode":"200"}}]}
txt-1 Patient "text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\" onclick=\"x\">x</div>"}
txt-2 Patient "text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\"> </div>"}
vsd-1 ValueSet "compose":{"include":[{"version":"1"}]}
vsd-2 ValueSet "compose":{"include":[{"concept":[{"code":"x"}]}]}
vsd-3 ValueSet "compose":{"include":[{"system":"x","concept":[{"code":"x"}],"filter":[{"property":"x"}]}]}
vsd-9 ValueSet "expansion":{"contains":[{"display":"x"}]}
vsd-10 ValueSet "expansion":{"contains":[{"code":"x"}]}
`

func TestInvariants_areFoundBroken(t *testing.T) {
	t.Parallel()
	p, v := fhir.NewParser(fhir.Limits{}), validate.New()
	for line := range strings.Lines(strings.TrimSpace(broken)) {
		key, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		name, members, _ := strings.Cut(rest, " ")
		text := []byte(`{"resourceType":"` + name + `",` + members + `}`)
		if _, err := p.Parse(text); err != nil {
			t.Errorf("%s: %v", key, err)
			continue
		}
		found := false
		for _, issue := range v.Check(p.Doc(), validate.Options{Source: text}) {
			found = found || strings.HasSuffix(issue.Details, "("+key+")")
		}
		if !found {
			t.Errorf("%s is not found broken in %s", key, text)
		}
	}
}

// TestInvariants_holdWhereDataCannotDecide has what must not be refused.
func TestInvariants_holdWhereDataCannotDecide(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`{"resourceType":"Patient","name":[{"family":"x","period":{"start":"2020-01","end":"2020"}}]}`,
		`{"resourceType":"Patient","name":[{"family":"x","period":{"start":"2020-01-02","end":"2020-01-01T23:00:00-05:00"}}]}`,
		`{"resourceType":"Patient","name":[{"family":"x","period":{"start":"2020-01-01T10:00:00+05:00","end":"2020-01-01T09:00:00Z"}}]}`,
		`{"resourceType":"Patient","name":[{"family":"x","period":{"start":"2020-01-01T10:00:00Z","end":"2020-01-01T10:00:00.000Z"}}]}`,
		`{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueRange":{"low":{"value":2,"unit":"m"},"high":{"value":1,"unit":"km"}}}`,
		`{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueRange":{"low":{"value":1.0},"high":{"value":1}}}`,
		`{"resourceType":"Patient","contained":[{"resourceType":"Provenance","id":"p","target":[{"reference":"#"}],"recorded":"2020-01-01T00:00:00Z","agent":[{"who":{"display":"x"}}]}]}`,
		`{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"o","name":"x"}],"managingOrganization":{"reference":"#o"}}`,
		`{"resourceType":"Bundle","type":"collection","entry":[{"resource":{"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"o","name":"x"}],"managingOrganization":{"reference":"#o"}}}]}`,
		`{"resourceType":"Patient","_gender":{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/data-absent-reason","valueCode":"unknown"}]}}`,
		`{"resourceType":"Patient","name":[{"given":["a",null,"c"],"_given":[null,{"extension":[{"url":"u","valueString":"x"}]},{"id":"i"}]}]}`,
		`{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueString":"x","_valueString":{"id":"a"}}`,
		`{"resourceType":"Observation","status":"final","code":{"text":"x"},"_valueString":{"extension":[{"url":"u","valueCode":"x"}]}}`,
		`{"resourceType":"Patient","\u0067ender":"male","name":[{"family":"Zo\u00eb \u0022x\u0022"}]}`,
		`{"resourceType":"Patient"}`,
	} {
		if why := verdict([]byte(text)); why != "" {
			t.Errorf("%s is refused: %s", text, why)
		}
	}
}
