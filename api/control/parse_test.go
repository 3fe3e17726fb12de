package control_test

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"

	"tarn/api/control"
	"tarn/fault"
)

var update = flag.Bool("update", false, "write the golden files anew")

// message is the pattern of a job's Message in the model.
var message = regexp.MustCompile(`^([\p{L}\p{Z}\p{N}_.:/=+\-%@]*)$`)

func TestRoutes_areAsTheGoldenFileShows(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	for _, r := range control.Rows() {
		fmt.Fprintf(&b, "%-24s %s\n", r[0], r[1])
	}
	const file = "testdata/routes.golden"
	if *update {
		must(t, os.WriteFile(file, []byte(b.String()), 0o644))
	}
	want, err := os.ReadFile(file)
	must(t, err)
	if b.String() != string(want) {
		t.Errorf("the routes changed; look at them, then run the test with -update:\n%s", b.String())
	}
}

func FuzzParse(f *testing.F) {
	f.Add("StartFHIRExportJob", []byte(wellFormed))
	f.Add("CreateFHIRDatastore", []byte(`{"DatastoreTypeVersion":"R4","Tags":[{"Key":"a","Value":"1"}],"IdentityProviderConfiguration":{"AuthorizationStrategy":"AWS_AUTH"}}`))
	f.Add("ListFHIRDatastores", []byte(`{"Filter":{"CreatedAfter":1609175692.715},"MaxResults":3,"NextToken":"x"}`))
	f.Add("UntagResource", []byte(`{"ResourceARN":"x","TagKeys":["a",null]}`))
	f.Fuzz(func(t *testing.T, action string, body []byte) {
		in, err := control.Parse(action, body)
		if err == nil {
			return
		}
		if in != nil {
			t.Errorf("an input and an error: %v", err)
		}
		if message := fault.Message(err); fault.Is(err, fault.Invalid) && utf8.RuneCountInString(message) > 10000 {
			t.Errorf("a message of %d characters", len(message))
		}
	})
}

func TestNextToken_opensOnlyWhatItClosed(t *testing.T) {
	t.Parallel()
	h := open(t)
	rapid.Check(t, func(t *rapid.T) {
		cursor := rapid.StringN(1, 100, -1).Draw(t, "cursor")
		list := rapid.SliceOfN(rapid.String(), 0, 3).Draw(t, "list")
		token := h.face.NextToken(cursor, list...)
		if got, err := h.face.Cursor(token, list...); err != nil || got != cursor {
			t.Fatalf("got %q %v, want %q", got, err, cursor)
		}
		if _, err := h.face.Cursor(token, append(list, "more")...); !fault.Is(err, fault.Invalid) {
			t.Fatalf("another list: %v", err)
		}
		at := rapid.IntRange(0, len(token)-1).Draw(t, "at")
		to := rapid.Byte().Draw(t, "to")
		if forged := token[:at] + string(to) + token[at+1:]; forged != token {
			if _, err := h.face.Cursor(forged, list...); !fault.Is(err, fault.Invalid) {
				t.Fatalf("forged at %d: %v", at, err)
			}
		}
	})
}

func TestPlain_keepsTheAlphabetOfTheModel(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                             "",
		"All good.":                    "All good.",
		"  a  b\n\tc  ":                "a b c",
		`denied: "s3:Put*" (by role);`: "denied: s3:Put by role.",
		"half way…":                    "half way...",
		"größer als 5 %":               "größer als 5 %",
		"a,b":                          "a b",
		"isn't":                        "isnt",
	} {
		if got := control.Plain(in); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		got := control.Plain(strings.Repeat(rapid.String().Draw(t, "text"), rapid.IntRange(1, 500).Draw(t, "times")))
		if utf8.RuneCountInString(got) > 2048 || !message.MatchString(got) {
			t.Fatalf("%d characters: %q", utf8.RuneCountInString(got), got)
		}
	})
}
