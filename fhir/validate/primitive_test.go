package validate_test

import (
	"strings"
	"testing"

	"tarn/fhir"
	"tarn/fhir/r4"
	"tarn/fhir/validate"
)

func TestPrimitive_holdsTheFormats(t *testing.T) {
	t.Parallel()
	v, p := validate.New(), fhir.NewParser(fhir.Limits{})
	for name, c := range map[string]struct {
		kind      r4.Primitive
		good, bad string // separated by blanks, as JSON
	}{
		"boolean":  {r4.Boolean, `true false`, `"true" 1 null {}`},
		"integer":  {r4.Integer, `0 -1 2147483647 -2147483648`, `-0 1.0 1e3 2147483648 -2147483649 99999999999999999999999 "1" true`},
		"positive": {r4.PositiveInt, `1 2147483647`, `0 -1 1.5 2147483648`},
		"unsigned": {r4.UnsignedInt, `0 1`, `-1 -0`},
		"decimal":  {r4.Decimal, `0 -0 1.50 1e400 -1.5E+07`, `"1" true`},
		"string":   {r4.String, `"a" "\t" "\u00e9" "\u0020x"`, `"" "\u0000" "\u001f" "a\bb" 1`},
		"code":     {r4.CodeValue, `"a" "a\u0020b"`, `"" "\u0020a" "a\u0020" "a\u0020\u0020b" "\ta"`},
		"uri":      {r4.URI, `"http://a" "urn:x" "#a" "é" "a|b"`, `"" "a\u0020b" "a\nb"`},
		"id":       {r4.ID, `"a" "A-.9" "` + strings.Repeat("a", 64) + `"`, `"" "a_b" "é" "` + strings.Repeat("a", 65) + `"`},
		"oid":      {r4.OID, `"urn:oid:1.2.3" "urn:oid:2.999.0.10"`, `"1.2.3" "urn:oid:3.1" "urn:oid:1" "urn:oid:1." "urn:oid:1..2" "urn:oid:1.02" "urn:oid:1.a"`},
		"uuid":     {r4.UUID, `"urn:uuid:c757873d-ec9a-4326-a141-556f43239520"`, `"c757873d-ec9a-4326-a141-556f43239520" "urn:uuid:C757873d-ec9a-4326-a141-556f43239520" "urn:uuid:c757873dec9a4326a141556f43239520"`},
		"base64":   {r4.Base64Binary, `"AAAA" "AA==" "AAA=" "AA\nAA"`, `"" "A" "AAA" "A===" "AA=A" "A_AA" "===="`},
		"date":     {r4.Date, `"2020" "0001" "2020-12" "2020-02-29" "2000-02-29" "1999-12-31"`, `"0000" "20" "2020-1" "2020-13" "2020-00" "2019-02-29" "1900-02-29" "2020-04-31" "2020-01-00" "2020-01-32" "2020-01-01T00:00:00Z" "2020-" "20a0" "2020-01-01\u0020"`},
		"dateTime": {r4.DateTime, `"2020" "2020-01-01" "2020-01-01T00:00:00Z" "2020-01-01T23:59:60.123456789+14:00" "2020-01-01T00:00:00-13:59"`,
			`"2020-01-01T00:00:00" "2020-01-01T00:00Z" "2020-01-01T24:00:00Z" "2020-01-01T00:60:00Z" "2020-01-01T00:00:61Z" "2020-01-01T00:00:00.Z" "2020-01-01T00:00:00+14:01" "2020-01-01T00:00:00+15:00" "2020-01-01T00:00:00+1:00" "2020-01T00:00:00Z" "2020-01-01t00:00:00Z" "2020-01-01T00:00:00z" "2020-02-30T00:00:00Z" "2020-01-01T" "2020-01-01T00:00:00Zx"`},
		"instant": {r4.Instant, `"2020-01-01T00:00:00Z" "2020-01-01T00:00:00.1-05:00"`, `"2020" "2020-01-01" "2020-01-01T00:00:00" "2020-02-30T00:00:00Z"`},
		"time":    {r4.Time, `"00:00:00" "23:59:60" "12:00:00.5"`, `"24:00:00" "12:00" "12:00:00Z" "12:00:00." "1:00:00"`},
		"xhtml":   {r4.XHTML, `"<div>x</div>"`, `1 {}`},
	} {
		for _, list := range []struct {
			values string
			good   bool
		}{{c.good, true}, {c.bad, false}} {
			for value := range strings.FieldsSeq(list.values) {
				doc, err := p.Scan([]byte(value))
				if err != nil {
					t.Fatalf("%s %s: %v", name, value, err)
				}
				if why := v.PrimitiveForTest(c.kind, doc.Root()); (why == "") != list.good {
					t.Errorf("%s %s: %q", name, value, why)
				}
			}
		}
	}
	for size, good := range map[int]bool{1 << 20: true, 1<<20 + 1: false} {
		doc, err := p.Scan([]byte(`"` + strings.Repeat("é", size) + `"`))
		if err != nil {
			t.Fatal(err)
		}
		if why := v.PrimitiveForTest(r4.String, doc.Root()); (why == "") != good {
			t.Errorf("%d characters: %q", size, why)
		}
	}
}
