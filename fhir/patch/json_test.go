package patch_test

import (
	"strings"
	"testing"

	"tarn/fault"
	"tarn/fhir"
	"tarn/fhir/patch"
)

func TestApply_keepsTheBytesThatAJSONPatchDoesNotTouch(t *testing.T) {
	t.Parallel()
	const doc = `{"b":1.00,"a":{"x":[1,2.50,"\u0041\/"],"y":1e+2},"\u00e9":null}`
	for operations, want := range map[string]string{
		`[]`: doc,
		`[{"op":"add","path":"/a/x/1","value":-0.0}]`:                                       `{"b":1.00,"a":{"x":[1,-0.0,2.50,"\u0041\/"],"y":1e+2},"\u00e9":null}`,
		`[{"op":"add","path":"/a/x/-","value":{"q": [ ] }}]`:                                `{"b":1.00,"a":{"x":[1,2.50,"\u0041\/",{"q":[]}],"y":1e+2},"\u00e9":null}`,
		`[{"op":"replace","path":"/é","value":"\u0041"}]`:                                   `{"b":1.00,"a":{"x":[1,2.50,"\u0041\/"],"y":1e+2},"\u00e9":"\u0041"}`,
		`[{"op":"add","path":"/b","value":2}]`:                                              `{"b":2,"a":{"x":[1,2.50,"\u0041\/"],"y":1e+2},"\u00e9":null}`,
		`[{"op":"move","from":"/a/x/2","path":"/a/x/0"},{"op":"remove","path":"/b"}]`:       `{"a":{"x":["\u0041\/",1,2.50],"y":1e+2},"\u00e9":null}`,
		`[{"op":"copy","from":"/a","path":"/a/x/0"},{"op":"remove","path":"/a/x/0/x/0"}]`:   `{"b":1.00,"a":{"x":[{"x":[2.50,"\u0041\/"],"y":1e+2},1,2.50,"\u0041\/"],"y":1e+2},"\u00e9":null}`,
		`[{"op":"move","from":"/a","path":"/a"}]`:                                           doc,
		`[{"op":"add","path":"/a\"~1~0b","value":1}]`:                                       doc[:len(doc)-1] + `,"a\"/~b":1}`,
		`[{"op":"test","path":"/a","value":{"y":100,"x":[1.0,25e-1,"A/"]}}]`:                doc,
		`[{"op":"test","path":"","value":{"é":null,"a":{"x":[1,2.5,"A/"],"y":1E2},"b":1}}]`: doc,
		`[{"op":"replace","path":"","value":{}}]`:                                           `{}`,
	} {
		got, err := applyJSON(operations, doc)
		if err != nil || string(got) != want {
			t.Errorf("%s: %v\n got %s\nwant %s", operations, err, got, want)
		}
	}
}

func TestApply_refusesWhatAJSONPatchCannotDo(t *testing.T) {
	t.Parallel()
	const doc = `{"resourceType":"Patient","id":"p","a":{"x":[1,2]},"n":9007199254740993}`
	for operations, want := range map[string]string{
		`[{"op":"test","path":"/n","value":9007199254740992}]`:                  "not equal",
		`[{"op":"test","path":"/n","value":"9007199254740993"}]`:                "not equal",
		`[{"op":"test","path":"/a","value":{"x":[1,2],"y":1}}]`:                 "not equal",
		`[{"op":"test","path":"/a","value":{"y":[1,2]}}]`:                       "not equal",
		`[{"op":"test","path":"/b","value":null}]`:                              `Operation 0 (test at "/b") cannot be done: there is nothing`,
		`[{"op":"add","path":"/n/x","value":1}]`:                                "neither object nor array",
		`[{"op":"add","path":"/a/x/3","value":1}]`:                              "2 elements",
		`[{"op":"remove","path":"/a/x/-"}]`:                                     "behind the end",
		`[{"op":"remove","path":"/a/x/01"}]`:                                    "leading zeros",
		`[{"op":"remove","path":"/a/x/1e0"}]`:                                   "leading zeros",
		`[{"op":"remove","path":"/a/y"}]`:                                       "nothing at that path",
		`[{"op":"remove","path":""}]`:                                           "whole resource",
		`[{"op":"move","from":"/a","path":"/a/x/0"}]`:                           "into itself",
		`[{"op":"test","path":"","value":0},{"op":"x"}]`:                        "",
		`[{"op":"remove","path":"/a"},{"op":"copy","from":"/a/x","path":"/b"}]`: `Operation 1 (copy at "/b") cannot be done: at from`,
		`[{"op":"replace","path":"/id","value":"q"}]`:                           "must not change",
		`[{"op":"replace","path":"/resourceType","value":"Person"}]`:            "must not change",
		`[{"op":"remove","path":"/id"}]`:                                        "must not change",
		`[{"op":"replace","path":"","value":{}}]`:                               "must not change",
	} {
		if want == "" {
			continue
		}
		_, err := applyJSON(operations, doc)
		wantOutcome(t, operations, err, fault.Unprocessable, want)
	}
}

func TestParseJSON_refusesWhatBreaksItsRules(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{}`:                                    "is an array",
		`[1]`:                                   "Operation 0: an operation is an object",
		`[{"path":"/a"}]`:                       `"op"`,
		`[{"op":"add","path":1,"value":1}]`:     `"path"`,
		`[{"op":"add","path":"/a"}]`:            `"value"`,
		`[{"op":"copy","path":"/a"}]`:           `"from"`,
		`[{"op":"merge","path":"/a"}]`:          "there is no operation",
		`[{"op":"remove","path":"a"}]`:          "no JSON Pointer",
		`[{"op":"remove","path":"/a~2"}]`:       "no JSON Pointer",
		`[{"op":"remove","path":"/a~"}]`:        "no JSON Pointer",
		`[{"op":"move","path":"/","from":"a"}]`: "no JSON Pointer",
	} {
		_, err := patch.ParseJSON([]byte(body), fhir.Limits{})
		wantOutcome(t, body, err, fault.Invalid, want)
	}
}

// A patch that doubles a value again and again must end in an error and not in memory.
func TestApply_boundsSizeDepthAndWork(t *testing.T) {
	t.Parallel()
	double := strings.Repeat(`{"op":"copy","from":"/a","path":"/a/-"},`, 60)
	_, err := applyJSON("["+strings.TrimSuffix(double, ",")+"]", `{"a":[1]}`)
	wantOutcome(t, "doubling", err, fault.TooLarge, "over 5000000 bytes")

	deep := `{"op":"add","path":"/a` + strings.Repeat("/0", 400) + `","value":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`
	_, err = applyJSON("["+deep+"]", `{"a":`+strings.Repeat("[", 400)+strings.Repeat("]", 400)+`}`)
	wantOutcome(t, "depth", err, fault.TooLarge, "deeper than 512")

	long := `{"a":[` + strings.TrimSuffix(strings.Repeat("1,", 1_000_000), ",") + `]}`
	_, err = applyJSON("["+strings.TrimSuffix(strings.Repeat(`{"op":"move","from":"/a","path":"/b"},{"op":"move","from":"/b","path":"/a"},`, 400), ",")+"]", long)
	wantOutcome(t, "work", err, fault.TooLarge, "too many steps")
}

// With id, version and instant in it a resource may be somewhat over the limit that it was taken under.
func TestApply_makesTheLargestResourceSmaller(t *testing.T) {
	t.Parallel()
	large := `{"resourceType":"Basic","a":"` + strings.Repeat("x", fhir.DefaultMaxBytes) + `"}`
	got, err := applyJSON(`[{"op":"remove","path":"/a"}]`, large)
	if err != nil || string(got) != `{"resourceType":"Basic"}` {
		t.Errorf("%.100s, %v", got, err)
	}
	_, err = applyJSON(`[{"op":"add","path":"/b","value":1}]`, large)
	wantOutcome(t, "larger still", err, fault.TooLarge, "over 5000000 bytes")
}
