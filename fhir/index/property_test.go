package index_test

import (
	"encoding/json"
	"fmt"
	"math/big"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tarn/fhir/index"
	"tarn/fhir/r4"
)

var comparators = []string{"", "eq", "ne", "gt", "lt", "ge", "le", "sa", "eb", "ap"}

// ask compiles a query against a document and compares with what is wanted; verdict holds the rest.
func ask(t *rapid.T, document, query string, want bool) {
	r := read(t, document)
	f, err := compile(r.typ, query, env)
	if err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	if got := verdict(t, f, r); got != want {
		t.Fatalf("%s is %v, want %v: %s", query, got, want, document)
	}
}

// drawDate draws dates of all precisions close to each other, so that their borders meet.
func drawDate(t *rapid.T, label string) string {
	at := time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC).Add(time.Duration(rapid.IntRange(-800, 800).Draw(t, label+" hours")) * time.Hour)
	if rapid.Bool().Draw(t, label+" border") {
		at = at.Truncate(24 * time.Hour)
	}
	at = at.Add(time.Duration(rapid.IntRange(-1, 1).Draw(t, label+" ms")) * time.Millisecond)
	layouts := []string{"2006", "2006-01", "2006-01-02", "2006-01-02T15:04:05Z", "2006-01-02T15:04:05", "2006-01-02T15:04:05.000Z", "2006-01-02T15:04:05.0Z"}
	s := at.Format(rapid.SampledFrom(layouts).Draw(t, label))
	if strings.HasSuffix(s, "Z") && rapid.Bool().Draw(t, label+" zone") {
		s = strings.TrimSuffix(s, "Z") + "+02:00"
	}
	return s
}

func TestDate_property(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		always, never := time.Time{}, time.Date(99999, 1, 1, 0, 0, 0, 0, time.UTC)
		a, b := drawDate(t, "a"), drawDate(t, "b")
		document := `{"resourceType":"Observation","effectiveDateTime":"` + a + `"}`
		from, to, _ := stretch(a)
		switch rapid.IntRange(0, 3).Draw(t, "shape") {
		case 1:
			document = `{"resourceType":"Observation","effectivePeriod":{"start":"` + a + `","end":"` + b + `"}}`
			if _, to, _ = stretch(b); !to.After(from) {
				to = from.Add(time.Millisecond)
			}
		case 2:
			document = `{"resourceType":"Observation","effectivePeriod":{"start":"` + a + `"}}`
			to = never
		case 3:
			document = `{"resourceType":"Observation","effectivePeriod":{"end":"` + b + `"}}`
			_, to, _ = stretch(b)
			from = always.Add(-time.Hour)
		}
		op, value := rapid.SampledFrom(comparators).Draw(t, "op"), drawDate(t, "value")
		low, high, _ := stretch(value)
		inside := !from.Before(low) && !to.After(high)
		var want bool
		switch op {
		case "", "eq":
			want = inside
		case "ne":
			want = !inside
		case "gt":
			want = to.After(high)
		case "lt":
			want = from.Before(low)
		case "ge":
			want = to.After(high) || inside
		case "le":
			want = from.Before(low) || inside
		case "sa":
			want = !from.Before(high)
		case "eb":
			want = !to.After(low)
		case "ap":
			gap := time.Duration(0)
			if env.Now.Before(low) {
				gap = low.Sub(env.Now)
			} else if env.Now.After(high) {
				gap = env.Now.Sub(high)
			}
			gap = (gap / 10).Truncate(time.Millisecond)
			want = from.Before(high.Add(gap)) && to.After(low.Add(-gap))
		}
		ask(t, document, "date="+op+value, want)
	})
}

// drawDecimal draws numbers close to each other, written in several ways.
func drawDecimal(t *rapid.T, label string) string {
	n := rapid.IntRange(-130, 130).Draw(t, label)
	switch rapid.IntRange(0, 5).Draw(t, label+" form") {
	case 0:
		return fmt.Sprintf("%d.%d", n, rapid.IntRange(0, 99).Draw(t, label+" fraction"))
	case 1:
		return fmt.Sprintf("%de%d", n, rapid.IntRange(-3, 3).Draw(t, label+" exponent"))
	case 2:
		return fmt.Sprintf("%d.50", n)
	case 3:
		return fmt.Sprintf("%d.%dE-%d", n, rapid.IntRange(0, 9).Draw(t, label+" fraction"), rapid.IntRange(0, 90).Draw(t, label+" exponent"))
	}
	return fmt.Sprint(n)
}

// naive compares an interval with a number of a search; nil ends are open.
func naive(op, text string, scale, low, high *big.Rat) bool {
	at, _ := new(big.Rat).SetString(text)
	mantissa, exponent, powered := strings.Cut(strings.ToLower(text), "e")
	places := 0
	fmt.Sscan(exponent, &places)
	if _, fraction, ok := strings.Cut(mantissa, "."); ok {
		places -= len(fraction)
	}
	if powered {
		places--
	}
	half, _ := new(big.Rat).SetString(fmt.Sprintf("0.5e%d", places))
	from, to := new(big.Rat).Sub(at, half), new(big.Rat).Add(at, half)
	for _, r := range []*big.Rat{at, from, to} {
		r.Mul(r, scale)
	}
	inside := low != nil && high != nil && low.Cmp(from) >= 0 && high.Cmp(to) < 0
	switch op {
	case "", "eq":
		return inside
	case "ne":
		return !inside
	case "gt":
		return high == nil || high.Cmp(at) > 0
	case "lt":
		return low == nil || low.Cmp(at) < 0
	case "ge":
		return high == nil || high.Cmp(at) >= 0
	case "le":
		return low == nil || low.Cmp(at) <= 0
	case "sa":
		return low != nil && low.Cmp(at) > 0
	case "eb":
		return high != nil && high.Cmp(at) < 0
	}
	tenth := new(big.Rat).Mul(new(big.Rat).Abs(at), big.NewRat(1, 10))
	scaledHalf := new(big.Rat).Mul(half, scale)
	if tenth.Cmp(scaledHalf) >= 0 {
		from, to = new(big.Rat).Sub(at, tenth), new(big.Rat).Add(at, tenth)
		return (high == nil || high.Cmp(from) >= 0) && (low == nil || low.Cmp(to) <= 0)
	}
	return (high == nil || high.Cmp(from) >= 0) && (low == nil || low.Cmp(to) < 0)
}

func TestQuantity_property(t *testing.T) {
	t.Parallel()
	grams := map[string]*big.Rat{"kg": big.NewRat(1000, 1), "g": big.NewRat(1, 1), "mg": big.NewRat(1, 1000), "ug": big.NewRat(1, 1000000), "[lb_av]": big.NewRat(45359237, 100000)}
	names := []string{"kg", "g", "mg", "ug", "[lb_av]"}
	rapid.Check(t, func(t *rapid.T) {
		have, asked := rapid.SampledFrom(names).Draw(t, "unit"), rapid.SampledFrom(names).Draw(t, "asked")
		low := drawDecimal(t, "low")
		quantity := func(n string) object {
			return object{"value": json.Number(n), "system": "http://unitsofmeasure.org", "code": have, "unit": "x" + have}
		}
		from, _ := new(big.Rat).SetString(low)
		from.Mul(from, grams[have])
		to := from
		value := object{"resourceType": "Observation", "valueQuantity": quantity(low)}
		param := "value-quantity"
		if rapid.Bool().Draw(t, "range") {
			param = "context-quantity"
			var of object
			high := drawDecimal(t, "high")
			to, _ = new(big.Rat).SetString(high)
			to.Mul(to, grams[have])
			switch rapid.IntRange(0, 2).Draw(t, "open") {
			case 0:
				of, from = object{"high": quantity(high)}, nil
			case 1:
				of, to = object{"low": quantity(low)}, nil
			default:
				if from.Cmp(to) > 0 {
					from, to, low, high = to, from, high, low
				}
				of = object{"low": quantity(low), "high": quantity(high)}
			}
			value = object{"resourceType": "ValueSet", "useContext": []any{object{"code": object{"code": "c"}, "valueRange": of}}}
		}
		document, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		op, number := rapid.SampledFrom(comparators).Draw(t, "op"), drawDecimal(t, "value")
		ask(t, string(document), param+"="+op+number+"|http://unitsofmeasure.org|"+asked, naive(op, number, grams[asked], from, to))
		// without a unit the numbers themselves are compared
		inHave := new(big.Rat).Inv(grams[have])
		plain := func(r *big.Rat) *big.Rat {
			if r == nil {
				return nil
			}
			return new(big.Rat).Mul(r, inHave)
		}
		ask(t, string(document), param+"="+op+number, naive(op, number, big.NewRat(1, 1), plain(from), plain(to)))
		ask(t, string(document), param+"="+op+number+"||x"+have, naive(op, number, big.NewRat(1, 1), plain(from), plain(to)))
		ask(t, string(document), param+"="+op+number+"|http://unitsofmeasure.org|mL", false)
	})
}

// escape is what a client does to a value.
func escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, `,`, `\,`, `$`, `\$`, `|`, `\|`).Replace(s)
}

func TestString_property(t *testing.T) {
	t.Parallel()
	texts := rapid.StringOfN(rapid.SampledFrom([]rune(`aAbBéÉe ß,$|\ñ`+"\u0301\u00a0\u1e9e")), 1, 6, -1)
	rapid.Check(t, func(t *rapid.T) {
		text, value := texts.Draw(t, "text"), texts.Draw(t, "value")
		if n := rapid.SampledFrom([]int{0, 0, 0, 100, 230, 300}).Draw(t, "long"); n > 0 {
			text, value = strings.Repeat("x", n)+text, strings.Repeat("x", n)+value
		}
		name, _ := json.Marshal(text)
		document := `{"resourceType":"Patient","name":[{"family":` + string(name) + `}]}`
		ask(t, document, "family="+escape(value), strings.HasPrefix(fold(text), fold(value)))
		ask(t, document, "family:exact="+escape(value), text == value)
		if fold(value) != "" {
			ask(t, document, "family:contains="+escape(value), strings.Contains(fold(text), fold(value)))
		}
	})
}

func TestToken_property(t *testing.T) {
	t.Parallel()
	codes := rapid.SampledFrom([]string{"a", "A", "b", "a b", "a|b", "a,b", `a\b`, strings.Repeat("a", 250), strings.Repeat("a", 260), "é", "É"})
	systems := rapid.SampledFrom([]string{"", "http://s", "http://s2", "urn:x|y", "http://" + strings.Repeat("s", 250)})
	rapid.Check(t, func(t *rapid.T) {
		code, system := codes.Draw(t, "code"), systems.Draw(t, "system")
		asked, in := codes.Draw(t, "asked"), systems.Draw(t, "in")
		token := func(names ...string) object {
			o := object{names[0]: code}
			if system != "" {
				o["system"] = system
			}
			return o
		}
		coding, _ := json.Marshal(object{"resourceType": "Observation", "code": object{"coding": []any{token("code")}}})
		identifier, _ := json.Marshal(object{"resourceType": "Observation", "identifier": []any{token("value")}})
		for _, c := range []struct {
			document, param string
			same            bool
		}{{string(coding), "code", strings.EqualFold(code, asked)}, {string(identifier), "identifier", code == asked}} {
			ask(t, c.document, c.param+"="+escape(asked), c.same)
			ask(t, c.document, c.param+":not="+escape(asked), !c.same)
			ask(t, c.document, c.param+"="+escape(in)+"|"+escape(asked), c.same && system == in)
			ask(t, c.document, c.param+":not="+escape(in)+"|"+escape(asked), !c.same || system != in)
			if in != "" {
				ask(t, c.document, c.param+"="+escape(in)+"|", system == in)
			}
		}
	})
}

// Many values at once are what chains ask for.
func TestReference_property(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		ids := rapid.SliceOfN(rapid.StringMatching(`[a-c]{1,3}`), 1, 40).Draw(t, "ids")
		id := rapid.StringMatching(`[a-c]{1,3}`).Draw(t, "id")
		typ := rapid.SampledFrom([]string{"Patient", "Group"}).Draw(t, "type")
		prefix := rapid.SampledFrom([]string{"", base + "/", "http://o.org/"}).Draw(t, "base")
		version := rapid.SampledFrom([]string{"", "/_history/1"}).Draw(t, "version")
		document := `{"resourceType":"Observation","subject":{"reference":"` + prefix + typ + "/" + id + version + `"}}`
		found := false
		for _, other := range ids {
			found = found || other == id
		}
		local := prefix != "http://o.org/"
		ask(t, document, "subject=Patient/"+strings.Join(ids, ",Patient/"), found && local && typ == "Patient")
		ask(t, document, "patient="+strings.Join(ids, ","), found && local && typ == "Patient")
		ask(t, document, "subject="+strings.Join(ids, ","), found && local)
		ask(t, document, "subject=http://o.org/Group/"+strings.Join(ids, ",http://o.org/Group/"), found && !local && typ == "Group")
		ask(t, document, "subject:missing=false", true)
		ask(t, document, "patient:missing=true", typ != "Patient")
	})
}

// Whatever the values, sorting by them follows the order of the index.
func TestSort_followsTheIndex(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		a, b := drawDecimal(t, "a"), drawDecimal(t, "b")
		document := func(n string) resource {
			return read(t, `{"resourceType":"RiskAssessment","prediction":[{"probabilityDecimal":`+n+`}]}`)
		}
		x, y := document(a), document(b)
		s, err := index.NewSort(x.typ, x.typ.Param("probability"))
		if err != nil {
			t.Fatal(err)
		}
		l, _ := new(big.Rat).SetString(a)
		r, _ := new(big.Rat).SetString(b)
		if got := strings.Compare(string(s.Key(x.kept, false)), string(s.Key(y.kept, true))); got != l.Cmp(r) {
			t.Fatalf("%s against %s is %d", a, b, got)
		}
	})
}

func TestSort(t *testing.T) {
	t.Parallel()
	r := read(t, `{"resourceType":"Patient","birthDate":"2000-01-01","name":[{"family":"Zed","given":["Éa","Bob"]}],"generalPractitioner":[{"reference":"Organization/1"}]}`)
	for name, want := range map[string][2]string{"given": {"bob", "ea"}, "name": {"bob", "zed"}, "gender": {"", ""}} {
		s, err := index.NewSort(r.typ, r.typ.Param(name))
		if err != nil {
			t.Fatal(err)
		}
		if got := [2]string{string(s.Key(r.kept, false)), string(s.Key(r.kept, true))}; got != want {
			t.Errorf("%s: %q", name, got)
		}
		if len(s.Ranges()) == 0 {
			t.Errorf("%s has no ranges", name)
		}
	}
	observation, _ := r4.CodeOf("Observation")
	location, _ := r4.CodeOf("Location")
	for typ, name := range map[r4.Code]string{observation: "code-value-quantity", location: "near", r.typ: "_id"} {
		if _, err := index.NewSort(typ, typ.Param(name)); err == nil {
			t.Errorf("%s gives an order", name)
		}
	}
}
