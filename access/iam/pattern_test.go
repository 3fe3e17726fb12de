package iam_test

import (
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"tarn/access/iam"
)

// model is the plain way to match: a pattern as a regular expression. A star within one of the first five segments of a
// resource, and not at its end, keeps to its segment.
func model(pattern string, resource bool) *regexp.Regexp {
	for strings.Contains(pattern, "**") {
		pattern = strings.ReplaceAll(pattern, "**", "*")
	}
	var b strings.Builder
	b.WriteString(`(?s)\A`)
	colons := 0
	runes := []rune(pattern)
	for i, c := range runes {
		atEnd := i+1 == len(runes) || runes[i+1] == ':'
		switch {
		case c == '*' && resource && colons < 5 && !atEnd:
			b.WriteString("[^:]*")
		case c == '*':
			b.WriteString(".*")
		case c == '?':
			b.WriteString(".")
		default:
			b.WriteString(regexp.QuoteMeta(string(c)))
		}
		if c == ':' {
			colons++
		}
	}
	b.WriteString(`\z`)
	return regexp.MustCompile(b.String())
}

func TestPattern_matchesAsTheModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		pattern := rapid.StringMatching(`[ab:*?é]{0,12}`).Draw(t, "pattern")
		text := rapid.StringMatching(`[ab:é]{0,14}`).Draw(t, "text")
		quoted, _ := json.Marshal("x" + pattern)
		p, err := iam.Parse(iam.Managed, []byte(stmt(`"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringLike":{"t:k":`+string(quoted)+`}}`)))
		if err != nil {
			t.Fatal(err)
		}
		r := request("s3:GetObject", "*")
		r.Context.Set("t:k", "x"+text)
		if want := model("x"+pattern, false).MatchString("x" + text); p.Evaluate(r).Allowed() != want {
			t.Fatalf("StringLike %q on %q: want %v", pattern, text, want)
		}

		pattern = "arn:" + pattern + ":*"
		text = "arn:" + text + ":" + text
		quoted, _ = json.Marshal(pattern)
		p, err = iam.Parse(iam.Managed, []byte(stmt(`"Effect":"Allow","Action":"*","Resource":`+string(quoted))))
		if err != nil {
			t.Fatal(err)
		}
		if want := model(pattern, true).MatchString(text); p.Evaluate(request("s3:GetObject", text)).Allowed() != want {
			t.Fatalf("resource %q on %q: want %v", pattern, text, want)
		}
	})
}

// A hostile pattern costs no more than its length times that of the text.
func TestPattern_isNotExponential(t *testing.T) {
	t.Parallel()
	for _, resource := range []string{"arn:aws:s3:::" + strings.Repeat("a*", 500) + "b", "arn:" + strings.Repeat("a*", 500) + "b:*"} {
		p := parse(t, iam.Managed, stmt(`"Effect":"Allow","Action":"*","Resource":"`+resource+`"`))
		if p.Evaluate(request("s3:GetObject", "arn:aws:s3:::"+strings.Repeat("a", 1000))).Allowed() {
			t.Errorf("%s matches", resource[:20])
		}
		p.Evaluate(request("s3:GetObject", "arn:"+strings.Repeat("a", 1000)))
	}
}
