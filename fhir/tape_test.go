package fhir_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/go-json-experiment/json/jsontext"

	"tarn/fault"
	"tarn/fhir"
)

// oracle is what jsontext makes of a text: whether it accepts it, its compact form, and how deep it nests.
func oracle(data []byte) (compact []byte, depth int, ok bool) {
	decoder := jsontext.NewDecoder(bytes.NewReader(data))
	for {
		if _, err := decoder.ReadToken(); err != nil {
			break
		}
		depth = max(depth, decoder.StackDepth())
	}
	value := jsontext.Value(bytes.Clone(data))
	ok = value.IsValid()
	if ok {
		ok = value.Compact() == nil
	}
	return value, depth, ok
}

// sameAsTokens compares a tape with the token stream that jsontext reads from the same text.
func sameAsTokens(doc *fhir.Doc, data []byte) error {
	decoder := jsontext.NewDecoder(bytes.NewReader(data))
	count := 0
	var walk func(n fhir.Node) error
	walk = func(n fhir.Node) error {
		if !n.Exists() {
			return errors.New("the tape ends too early")
		}
		if n.Index() != count {
			return fmt.Errorf("value %d has the index %d", count, n.Index())
		}
		count++
		token, err := decoder.ReadToken()
		if err != nil {
			return err
		}
		kinds := map[jsontext.Kind]fhir.Kind{'n': fhir.Null, 'f': fhir.False, 't': fhir.True, '0': fhir.Number,
			'"': fhir.String, '{': fhir.Object, '[': fhir.Array}
		if n.Kind() != kinds[token.Kind()] {
			return fmt.Errorf("the tape has %s, jsontext %s", n.Kind(), token.Kind())
		}
		if n.Offset() >= n.End() || !bytes.Equal(n.Raw(), doc.Bytes()[n.Offset():n.End()]) {
			return fmt.Errorf("offsets %d to %d of %q", n.Offset(), n.End(), n.Raw())
		}
		switch n.Kind() {
		case fhir.String:
			want := token.String()
			if string(n.AppendText(nil)) != want || string(n.Unescaped(nil)) != want || !n.Is(want) || n.Is(want+"x") ||
				n.Escaped() != bytes.Contains(n.Raw(), []byte{'\\'}) || string(n.Raw()) != `"`+string(n.Text())+`"` {
				return fmt.Errorf("text %q, want %q", n.AppendText(nil), want)
			}
			return nil
		case fhir.Number:
			if string(n.Raw()) != token.String() || string(n.Text()) != token.String() {
				return fmt.Errorf("number %s, want %s", n.Raw(), token)
			}
			return nil
		case fhir.Object, fhir.Array:
		default:
			return nil
		}
		children, i := n.Count(), 0
		for child := range n.Children() {
			if n.Kind() == fhir.Object {
				name, err := decoder.ReadToken()
				if err != nil {
					return err
				}
				if string(child.AppendKey(nil)) != name.String() || !child.KeyIs(name.String()) || !child.IsMember() ||
					doc.Bytes()[child.KeyOffset()] != '"' || n.Member(name.String()) != child {
					return fmt.Errorf("member %q, want %q", child.Key(), name)
				}
			} else if child.IsMember() || child.Key() != nil || child.KeyOffset() != child.Offset() {
				return errors.New("an element has a name")
			}
			if err := walk(child); err != nil {
				return err
			}
			i++
		}
		if _, err := decoder.ReadToken(); err != nil || i != children {
			return fmt.Errorf("%d children, count %d: %v", i, children, err)
		}
		return nil
	}
	if err := walk(doc.Root()); err != nil {
		return err
	}
	if doc.Len() != count || doc.Root().Next().Exists() {
		return fmt.Errorf("%d values on the tape, want %d", doc.Len(), count)
	}
	return nil
}

// checkScan holds what Scan promises for any text against jsontext.
func checkScan(p *fhir.Parser, data []byte) error {
	given := bytes.Clone(data)
	compact, depth, ok := oracle(data)
	doc, err := p.Scan(data)
	if !bytes.Equal(given, data) {
		return errors.New("Scan changed its input")
	}
	if want := ok && depth <= fhir.DefaultMaxDepth; want != (err == nil) {
		return fmt.Errorf("jsontext accepts: %v (depth %d), Scan says: %v", ok, depth, err)
	}
	if err != nil {
		var outcome *fhir.OutcomeError
		if !errors.As(err, &outcome) || fault.KindOf(err) != fault.Invalid || len(outcome.Issues) != 1 {
			return fmt.Errorf("the wrong kind of error: %v", err)
		}
		issue := outcome.Issues[0]
		line := bytes.Count(data[:issue.Offset], []byte{'\n'}) + 1
		if issue.Line != line || issue.Column < 1 || issue.Code == "" || issue.Details == "" || doc.Root().Exists() {
			return fmt.Errorf("a poor issue: %+v", issue)
		}
		if !jsontext.Value(outcome.Outcome().AppendJSON(nil)).IsValid() {
			return errors.New("the OperationOutcome is no JSON")
		}
		return nil
	}
	if !bytes.Equal(doc.Bytes(), compact) {
		return fmt.Errorf("compact %q, want %q", doc.Bytes(), compact)
	}
	for n := range doc.Root().Children() {
		if line, column, offset := fhir.Locate(data, n.Offset()); data[offset] != doc.Bytes()[n.Offset()] || line < 1 || column < 1 {
			return fmt.Errorf("Locate(%d) is %d", n.Offset(), offset)
		}
		doc.Path(n)
	}
	return sameAsTokens(doc, data)
}

var texts = []string{
	`null`, `true`, `false`, ` "a" `, `0`, `-0`, `1.0`, `0.047821600000000004`, `123456789012345678`, `1e400`, `-1.5E+07`,
	`{}`, `[]`, `[1,[2,[]],{"a":{}}]`, `[{"a":1},{"b":{}},3,{}]`, `{"a":1,"b":[true,null],"c":{"d":"e"}}`, "\t{ \"a\" :\r\n[ 1 , 2 ] }\n",
	`{"\u0061b":"\ud83d\ude00\"\\\/\b\f\n\r\t","é":"ü\u00fc 漢字 😀"}`, `"0123456\u002078901234"`, `{"":{"":""}}`,
	// refused
	``, ` `, `{`, `[`, `"`, `"\`, `"\u12`, `"\ud800"`, `"\udc00"`, `"\udc00\udc00"`, `"\ud800\u0041"`, `"\ud800\ud800"`, `"\x"`, `"\u00zz"`,
	`{"a"}`, `{"a":}`, `{"a":1,}`, `[1,]`, `[1 2]`, `{,}`, `{a:1}`, `{'a':1}`, `[1}`, `{"a":1]`, `01`, `-`, `1.`, `.5`, `+1`,
	`1e`, `1e+`, `NaN`, `Infinity`, `tru`, `nulL`, `{}{}`, `1 2`, `/**/1`, "\"a\nb\"", "\"\x00\"", "\"\x1f\"", "\xef\xbb\xbf{}",
	`{"a":1,"a":2}`, `{"a":1,"\u0061":2}`, `{"abcdefgh":1,"b":2,"abcdefg\u0068":3}`, "\"\xff\"", "\"\xc0\xaf\"", "\"\xed\xa0\x80\"",
	"\"\xf4\x90\x80\x80\"", "{\"\xff\":1}", "\"a\xc3\"", "\v1", "\u00a01", "\x00", "\"\x7f\"",
}

// many is an object of n members, at last one with the given name.
func many(n int, last string) string {
	var b strings.Builder
	b.WriteByte('{')
	for i := range n {
		fmt.Fprintf(&b, `"member%d":{"a":%d},`, i, i)
	}
	return b.String() + `"` + last + `":0}`
}

func TestScan_agreesWithJSONText(t *testing.T) {
	t.Parallel()
	p := fhir.NewParser(fhir.Limits{})
	all := append([]string{many(31, "x"), many(32, "x"), many(33, "x"), many(400, "x"), many(31, "member30"), many(32, "member3"),
		many(33, "member0"), many(400, "member17"), many(400, `member\u0031`), `[` + many(40, "x") + `,` + many(40, "member39") + `]`,
		strings.Repeat("[", 512) + strings.Repeat("]", 512), strings.Repeat("[", 513) + strings.Repeat("]", 513),
		strings.Repeat(`{"a":`, 512) + "1" + strings.Repeat("}", 512), strings.Repeat(`{"a":`, 513) + "1" + strings.Repeat("}", 513),
		strings.Repeat("[", 100_000)}, texts...)
	for _, text := range all {
		if err := checkScan(p, []byte(text)); err != nil {
			t.Errorf("%.100q: %v", text, err)
		}
	}
	// Each special byte at each place of a word, in strings of each length.
	for length := range 20 {
		for at := range length {
			for c := range 256 {
				text := []byte(`"` + strings.Repeat("x", length) + `"`)
				text[1+at] = byte(c)
				if err := checkScan(p, text); err != nil {
					t.Fatalf("%q: %v", text, err)
				}
			}
		}
	}
}

func FuzzScan(f *testing.F) {
	for _, text := range texts {
		f.Add([]byte(text))
	}
	f.Add([]byte(many(40, "member\\u0033")))
	f.Add([]byte(`{"resourceType":"Patient","id":"a","name":[{"given":["b"],"_given":[null]}],"x":1.50,"y":"\u00e4é"}`))
	p := fhir.NewParser(fhir.Limits{})
	f.Fuzz(func(t *testing.T, data []byte) {
		if err := checkScan(p, data); err != nil {
			t.Fatal(err)
		}
	})
}
