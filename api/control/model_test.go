package control_test

import (
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"tarn/api/control"
)

// model is the service model as botocore carries it.
type model struct {
	Operations map[string]struct {
		Input  struct{ Shape string }
		Output struct{ Shape string }
	}
	Shapes map[string]modelShape
}

type modelShape struct {
	Type     string
	Min, Max *int
	Pattern  string
	Enum     []string
	Required []string
	Union    bool
	Members  map[string]struct{ Shape string }
	Member   struct{ Shape string }
}

// botocore reads the model where botocore is installed.
func botocore(t *testing.T) *model {
	t.Helper()
	folders := []string{os.Getenv("TARN_BOTOCORE"), "/usr/lib/python3/dist-packages/botocore"}
	if out, err := exec.Command("python3", "-c", "import botocore, os; print(os.path.dirname(botocore.__file__))").Output(); err == nil {
		folders = append(folders, strings.TrimSpace(string(out)))
	}
	for _, folder := range folders {
		file, err := os.Open(filepath.Join(folder, "data/healthlake/2017-07-01/service-2.json.gz"))
		if err != nil {
			continue
		}
		defer file.Close()
		unzipped, err := gzip.NewReader(file)
		must(t, err)
		m := new(model)
		must(t, json.NewDecoder(unzipped).Decode(m))
		return m
	}
	t.Skip("botocore is not installed: the shapes are not compared with its model of the service")
	return nil
}

// constraint is the shape of that name, unfolded, in the form that the face shows its own.
func (m *model) constraint(name string) *control.Constraint {
	s := m.Shapes[name]
	c := &control.Constraint{Type: s.Type, Min: s.Min, Max: s.Max, Pattern: s.Pattern, Enum: slices.Sorted(slices.Values(s.Enum)),
		Required: slices.Sorted(slices.Values(s.Required)), Union: s.Union}
	if s.Max != nil && s.Min == nil {
		c.Min = new(int)
	}
	if s.Type == "list" {
		c.Item = m.constraint(s.Member.Shape)
	}
	if s.Type == "structure" {
		c.Members = map[string]*control.Constraint{}
		for member, to := range s.Members {
			c.Members[member] = m.constraint(to.Shape)
		}
	}
	return c
}

func sorted(c *control.Constraint) *control.Constraint {
	if c == nil {
		return nil
	}
	slices.Sort(c.Enum)
	slices.Sort(c.Required)
	sorted(c.Item)
	for _, member := range c.Members {
		sorted(member)
	}
	return c
}

func TestShapes_areThoseOfTheServiceModel(t *testing.T) {
	t.Parallel()
	m := botocore(t)
	inputs := control.Inputs()
	for action, op := range m.Operations {
		ours, ok := inputs[action]
		if !ok {
			if action != "UpdateFHIRDatastore" {
				t.Errorf("%s is not offered", action)
			}
			continue
		}
		if diff := cmp.Diff(m.constraint(op.Input.Shape), sorted(ours)); diff != "" {
			t.Errorf("%s (-model +ours):\n%s", action, diff)
		}
	}
	for action := range inputs {
		if _, ok := m.Operations[action]; !ok {
			t.Errorf("the model does not know %s", action)
		}
	}
}

// TestAnswers_areThoseOfTheServiceModel holds every answer of every action against the model: no unknown member, no
// required one missing, every constraint kept.
func TestAnswers_areThoseOfTheServiceModel(t *testing.T) {
	t.Parallel()
	m := botocore(t)
	h := open(t)
	call := func(action, body string) map[string]any {
		t.Helper()
		status, answer := h.post(action, body)
		if status != 200 {
			t.Fatalf("%s: %d %v", action, status, answer)
		}
		m.judge(t, action, m.Operations[action].Output.Shape, answer)
		return answer
	}
	id := call("CreateFHIRDatastore", `{"DatastoreTypeVersion":"R4","DatastoreName":"n","Tags":[{"Key":"k","Value":"v"}]}`)["DatastoreId"].(string)
	failed := call("CreateFHIRDatastore", `{"DatastoreTypeVersion":"R4","PreloadDataConfig":{"PreloadDataType":"SYNTHEA"}}`)["DatastoreId"].(string)
	must(t, h.catalog.Fail(t.Context(), failed, "Why.", false))
	where := fmt.Sprintf(`"DatastoreId":%q`, id)
	arn := fmt.Sprintf(`"ResourceARN":%q`, h.catalog.ARN(id))
	to := `{"S3Configuration":{"S3Uri":"s3://bucket","KmsKeyId":"` + keyARN + `"}}`
	exported := call("StartFHIRExportJob", `{`+where+`,"JobName":"j","DataAccessRoleArn":"`+roleARN+`","OutputDataConfig":`+to+`}`)["JobId"]
	imported := call("StartFHIRImportJob", `{`+where+`,"ValidationLevel":"strict","DataAccessRoleArn":"`+roleARN+`","InputDataConfig":{"S3Uri":"s3://bucket"},"JobOutputDataConfig":`+to+`}`)["JobId"]
	call("DescribeFHIRExportJob", fmt.Sprintf(`{%s,"JobId":%q}`, where, exported))
	call("DescribeFHIRImportJob", fmt.Sprintf(`{%s,"JobId":%q}`, where, imported))
	call("ListFHIRExportJobs", `{`+where+`}`)
	call("ListFHIRImportJobs", `{`+where+`}`)
	call("DescribeFHIRDatastore", `{`+where+`}`)
	call("ListFHIRDatastores", `{"MaxResults":1}`)
	call("ListFHIRDatastores", `{}`)
	call("TagResource", `{`+arn+`,"Tags":[{"Key":"x","Value":""}]}`)
	call("ListTagsForResource", `{`+arn+`}`)
	call("UntagResource", `{`+arn+`,"TagKeys":["x"]}`)
	call("DeleteFHIRDatastore", `{`+where+`}`)
}

// judge reports where a value is not of a shape of the model.
func (m *model) judge(t *testing.T, path, shape string, value any) {
	t.Helper()
	s := m.Shapes[shape]
	switch s.Type {
	case "structure":
		object, ok := value.(map[string]any)
		if !ok {
			t.Errorf("%s is %T", path, value)
			return
		}
		for _, name := range s.Required {
			if object[name] == nil {
				t.Errorf("%s.%s is missing", path, name)
			}
		}
		for name, value := range object {
			if to, ok := s.Members[name]; !ok {
				t.Errorf("%s.%s is not in the model", path, name)
			} else {
				m.judge(t, path+"."+name, to.Shape, value)
			}
		}
		if s.Union && len(object) != 1 {
			t.Errorf("%s has %d members of a union", path, len(object))
		}
	case "list":
		items, ok := value.([]any)
		if !ok {
			t.Errorf("%s is %T", path, value)
		}
		for _, item := range items {
			m.judge(t, path+"[]", s.Member.Shape, item)
		}
	case "string":
		text, ok := value.(string)
		n := utf8.RuneCountInString(text)
		if !ok || s.Min != nil && n < *s.Min || s.Max != nil && n > *s.Max || len(s.Enum) > 0 && !slices.Contains(s.Enum, text) {
			t.Errorf("%s is %v", path, value)
		}
		// Patterns that say nothing (any character so often) are left out: the regexp package cannot read them.
		if s.Pattern != "" && !strings.Contains(s.Pattern, "{1,5000}") && !strings.Contains(s.Pattern, "0000}") && !strings.Contains(s.Pattern, "ASCII") &&
			!regexp.MustCompile(`\A(?:`+s.Pattern+`)\z`).MatchString(text) && !strings.HasSuffix(s.Pattern, "+?") {
			t.Errorf("%s is %q, which does not match %s", path, text, s.Pattern)
		}
	case "boolean":
		if _, ok := value.(bool); !ok {
			t.Errorf("%s is %T", path, value)
		}
	default: // integer, long, double, timestamp
		if _, ok := value.(float64); !ok {
			t.Errorf("%s is %T", path, value)
		}
	}
}
