package control_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

const wellFormed = `{"DatastoreId":"` + missing + `","DataAccessRoleArn":"` + roleARN + `","OutputDataConfig":{"S3Configuration":{"S3Uri":"s3://bucket/x","KmsKeyId":"` + keyARN + `"}}}`

func TestFace_tellsEveryConstraintThatIsBroken(t *testing.T) {
	t.Parallel()
	h := open(t)
	long := strings.Repeat("x", 300)
	for _, c := range []struct{ action, body, code, message string }{
		{"DescribeFHIRDatastore", ``, "ValidationException", `1 validation error detected: Value null at 'datastoreId' failed to satisfy constraint: Member must not be null`},
		{"DescribeFHIRDatastore", `{"DatastoreId":null}`, "ValidationException", `1 validation error detected: Value null at 'datastoreId' failed to satisfy constraint: Member must not be null`},
		{"DescribeFHIRDatastore", `{"datastoreid":"x"}`, "ValidationException", `1 validation error detected: Value null at 'datastoreId' failed to satisfy constraint: Member must not be null`},
		{"DescribeFHIRDatastore", `{"DatastoreId":""}`, "ValidationException", `1 validation error detected: Value '' at 'datastoreId' failed to satisfy constraint: Member must have length greater than or equal to 1`},
		{"DescribeFHIRDatastore", `{"DatastoreId":"a*b"}`, "ValidationException", `1 validation error detected: Value 'a*b' at 'datastoreId' failed to satisfy constraint: Member must satisfy regular expression pattern: ^([\p{L}\p{Z}\p{N}_.:/=+\-%@]*)$`},
		{"DescribeFHIRDatastore", `{"DatastoreId":"a\nb"}`, "ValidationException", "1 validation error detected: Value 'a\nb' at 'datastoreId' failed to satisfy constraint: Member must satisfy regular expression pattern: ^([\\p{L}\\p{Z}\\p{N}_.:/=+\\-%@]*)$"},
		{"DescribeFHIRDatastore", `{"DatastoreId":"` + long + `"}`, "ValidationException", `1 validation error detected: Value '` + long[:256] + `...' at 'datastoreId' failed to satisfy constraint: Member must have length less than or equal to 32`},
		{"DescribeFHIRExportJob", `{}`, "ValidationException", `2 validation errors detected: Value null at 'datastoreId' failed to satisfy constraint: Member must not be null; Value null at 'jobId' failed to satisfy constraint: Member must not be null`},
		{"ListFHIRExportJobs", `{"DatastoreId":"x","MaxResults":0,"JobStatus":"DONE"}`, "ValidationException", `2 validation errors detected: Value '0' at 'maxResults' failed to satisfy constraint: Member must have value greater than or equal to 1; Value 'DONE' at 'jobStatus' failed to satisfy constraint: Member must satisfy enum value set: [SUBMITTED, QUEUED, IN_PROGRESS, COMPLETED, COMPLETED_WITH_ERRORS, FAILED, CANCEL_SUBMITTED, CANCEL_IN_PROGRESS, CANCEL_COMPLETED, CANCEL_FAILED]`},
		{"ListFHIRImportJobs", `{"DatastoreId":"x","MaxResults":501}`, "ValidationException", `1 validation error detected: Value '501' at 'maxResults' failed to satisfy constraint: Member must have value less than or equal to 500`},
		{"StartFHIRExportJob", strings.Replace(wellFormed, "s3://bucket/x", "http://x", 1), "ValidationException", `1 validation error detected: Value 'http://x' at 'outputDataConfig.s3Configuration.s3Uri' failed to satisfy constraint: Member must satisfy regular expression pattern: s3://[a-z0-9][\.\-a-z0-9]{1,61}[a-z0-9](/.*)?`},
		{"StartFHIRExportJob", strings.Replace(wellFormed, roleARN, "role", 1), "ValidationException", `2 validation errors detected: Value 'role' at 'dataAccessRoleArn' failed to satisfy constraint: Member must have length greater than or equal to 20; Value 'role' at 'dataAccessRoleArn' failed to satisfy constraint: Member must satisfy regular expression pattern: arn:aws(-[^:]+)?:iam::[0-9]{12}:role/.+`},
		{"StartFHIRExportJob", strings.Replace(wellFormed, `"S3Configuration"`, `"Other"`, 1), "ValidationException", `2 validation errors detected: Value null at 'outputDataConfig.s3Configuration' failed to satisfy constraint: Member must not be null; Value null at 'outputDataConfig' failed to satisfy constraint: Exactly one member must be set of: [S3Configuration]`},
		{"CreateFHIRDatastore", `{"DatastoreTypeVersion":"R5","SseConfiguration":{}}`, "ValidationException", `2 validation errors detected: Value 'R5' at 'datastoreTypeVersion' failed to satisfy constraint: Member must satisfy enum value set: [R4]; Value null at 'sseConfiguration.kmsEncryptionConfig' failed to satisfy constraint: Member must not be null`},
		{"CreateFHIRDatastore", `{"DatastoreTypeVersion":"R4","Tags":[{"Key":"a","Value":"1"},{"Key":""},null]}`, "ValidationException", `3 validation errors detected: Value '' at 'tags.2.member.key' failed to satisfy constraint: Member must have length greater than or equal to 1; Value null at 'tags.2.member.value' failed to satisfy constraint: Member must not be null; Value null at 'tags.3.member' failed to satisfy constraint: Member must not be null`},
		{"CreateFHIRDatastore", `{"DatastoreTypeVersion":"R4","Tags":[{"Key":"a","Value":"1"},{"Key":"a","Value":"2"}]}`, "ValidationException", `The tag key 'a' is given twice.`},
		{"CreateFHIRDatastore", `{"DatastoreTypeVersion":"R4","Tags":[{"Key":"aws:x","Value":"1"}]}`, "ValidationException", `Tag keys that begin with aws: are reserved.`},
		{"CreateFHIRDatastore", `{"DatastoreTypeVersion":"R4","ClientToken":"no spaces"}`, "ValidationException", `1 validation error detected: Value 'no spaces' at 'clientToken' failed to satisfy constraint: Member must satisfy regular expression pattern: ^[a-zA-Z0-9-]+$`},
		{"TagResource", `{"ResourceARN":"arn:aws:s3:::b","Tags":[]}`, "ValidationException", `1 validation error detected: Value 'arn:aws:s3:::b' at 'resourceARN' failed to satisfy constraint: Member must satisfy regular expression pattern: ^arn:aws((-us-gov)|(-iso)|(-iso-b)|(-cn))?:healthlake:[a-z0-9-]+:\d{12}:datastore\/fhir\/.{32}`},
		{"ListFHIRDatastores", `{"Filter":{"DatastoreStatus":"GONE"}}`, "ValidationException", `1 validation error detected: Value 'GONE' at 'filter.datastoreStatus' failed to satisfy constraint: Member must satisfy enum value set: [CREATING, ACTIVE, DELETING, DELETED, CREATE_FAILED]`},
		{"ListFHIRDatastores", `{"NextToken":"AAAA"}`, "ValidationException", `NextToken is not one that this list gave out. (Send the NextToken of the page before, with the same filters.)`},

		{"ListFHIRDatastores", `[]`, "SerializationException", "the body must be a JSON object, not a list"},
		{"ListFHIRDatastores", `null`, "SerializationException", "the body must be a JSON object, not null"},
		{"ListFHIRDatastores", `{`, "SerializationException", "The body is not a JSON object"},
		{"ListFHIRDatastores", `{} {}`, "SerializationException", "The body is not a JSON object"},
		{"ListFHIRDatastores", `{"MaxResults":"5"}`, "SerializationException", "MaxResults must be a number, not a string"},
		{"ListFHIRDatastores", `{"MaxResults":1.5}`, "SerializationException", "MaxResults is not a whole number of 32 bits"},
		{"ListFHIRDatastores", `{"Filter":{"CreatedAfter":"2026-01-01T00:00:00Z"}}`, "SerializationException", "CreatedAfter must be a number, not a string"},
		{"ListFHIRDatastores", `{"Filter":{"CreatedAfter":1e300}}`, "SerializationException", "CreatedAfter is not a time in seconds since 1970"},
		{"ListFHIRDatastores", `{"Filter":[]}`, "SerializationException", "Filter must be a JSON object, not a list"},
		{"CreateFHIRDatastore", `{"DatastoreTypeVersion":4}`, "SerializationException", "DatastoreTypeVersion must be a string, not a number"},
		{"CreateFHIRDatastore", `{"Tags":{"a":"b"}}`, "SerializationException", "Tags must be a list, not an object"},
		{"CreateFHIRDatastore", `{"Tags":["a"]}`, "SerializationException", "item 1 of Tags must be a JSON object, not a string"},
		{"CreateFHIRDatastore", `{"IdentityProviderConfiguration":{"FineGrainedAuthorizationEnabled":"yes"}}`, "SerializationException", "FineGrainedAuthorizationEnabled must be true or false, not a string"},

		{"UpdateFHIRDatastore", `{}`, "UnknownOperationException", "UpdateFHIRDatastore is not offered: a data store keeps the settings that it was created with."},
		{"RestoreFHIRDatastore", `{}`, "UnknownOperationException", "This server knows no such operation."},
	} {
		status, answer := h.post(c.action, c.body)
		want := http.StatusBadRequest
		if c.code == "UnknownOperationException" {
			want = http.StatusNotFound
		}
		if status != want || answer["__type"] != "com.amazonaws.healthlake#"+c.code || answer["Message"] != c.message || answer["message"] != c.message {
			t.Errorf("%s %.200s\n got %d %v\nwant %d %s: %s", c.action, c.body, status, answer, want, c.code, c.message)
		}
	}
	if h.asked != 0 {
		t.Errorf("a service was asked %d times", h.asked)
	}
}

func TestFace_boundsWhatItTells(t *testing.T) {
	t.Parallel()
	h := open(t)
	tags := strings.Repeat(`{"Key":"`+strings.Repeat("*", 1000)+`","Value":"`+strings.Repeat("*", 1000)+`"},`, 200)
	status, answer := h.post("CreateFHIRDatastore", `{"DatastoreTypeVersion":"R4","Tags":[`+strings.TrimRight(tags, ",")+`]}`)
	message := fmt.Sprint(answer["Message"])
	if status != 400 || !strings.HasPrefix(message, "400 validation errors detected: ") || !strings.HasSuffix(message, "and 380 more") || len(message) > 10000 {
		t.Errorf("%d, %d bytes: %.100s", status, len(message), message)
	}
	status, answer = h.post("UntagResource", `{"ResourceARN":"`+h.catalog.ARN(missing)+`","TagKeys":[`+strings.TrimRight(strings.Repeat(`"k",`, 201), ",")+`]}`)
	if message := answer["Message"]; status != 400 || message != "1 validation error detected: Value '[201 items]' at 'tagKeys' failed to satisfy constraint: Member must have length less than or equal to 200" {
		t.Errorf("%d %v", status, message)
	}
}

func TestFace_ignoresUnknownMembersAndReadsAnyTime(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.datastore(nil)
	for body, want := range map[string]int{
		`{"Analytics":{"x":[1]},"Filter":{"datastorename":7}}`: 1,
		``:                                   1,
		` `:                                  1,
		`{"Filter":{"CreatedAfter":0}}`:      1,
		`{"Filter":{"CreatedAfter":-1.5}}`:   1,
		`{"Filter":{"CreatedAfter":1.6e9}}`:  1,
		`{"Filter":{"CreatedBefore":1.6E9}}`: 0,
		`{"Filter":{"CreatedBefore":16e8}}`:  0,
		`{"Filter":{"CreatedAfter":9999999999.123456789}}`: 0,
	} {
		status, answer := h.post("ListFHIRDatastores", body)
		list, _ := answer["DatastorePropertiesList"].([]any)
		if status != 200 || list == nil || len(list) != want {
			t.Errorf("%s: %d %v", body, status, answer)
		}
	}
}

func TestFace_takesOnlyPostAtTheRoot(t *testing.T) {
	t.Parallel()
	h := open(t)
	for _, c := range [][2]string{{http.MethodPut, "/"}, {http.MethodPost, "/other"}} {
		if status, answer, _ := h.send(c[0], c[1], "ListFHIRDatastores", `{}`); status != 404 || answer["Message"] != "An operation is sent as POST /." {
			t.Errorf("%v: %d %v", c, status, answer)
		}
	}
	_, _, header := h.send(http.MethodPost, "/", "ListFHIRDatastores", `{}`)
	if header.Get("Content-Type") != "application/x-amz-json-1.0" || header.Get("X-Amzn-Requestid") == "" {
		t.Errorf("headers %v", header)
	}
	_, _, header = h.send(http.MethodPost, "/", "ListFHIRDatastores", `[]`)
	if header.Get("X-Amzn-Errortype") != "SerializationException" {
		t.Errorf("headers %v", header)
	}
}
