package fhir_test

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"tarn/fault"
	"tarn/fhir"
)

func TestParseInstant_takesWhatFHIRTakes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"2026-01-31T13:45:00Z":                "2026-01-31T13:45:00.000Z",
		"2026-01-31T13:45:00.1Z":              "2026-01-31T13:45:00.100Z",
		"2026-01-31T13:45:00.123999999Z":      "2026-01-31T13:45:00.123Z",
		"2026-01-31T13:45:00.12345678901234Z": "2026-01-31T13:45:00.123Z",
		"2026-01-31T14:45:00+01:00":           "2026-01-31T13:45:00.000Z",
		"2026-01-31T00:30:00.5-14:00":         "2026-01-31T14:30:00.500Z",
		"2026-01-31T00:00:00-00:00":           "2026-01-31T00:00:00.000Z",
		"2016-12-31T23:59:60Z":                "2017-01-01T00:00:00.000Z",
		"2016-12-31T23:59:60.750Z":            "2017-01-01T00:00:00.000Z",
		"2024-02-29T00:00:00Z":                "2024-02-29T00:00:00.000Z",
		"0001-01-01T00:00:00Z":                "0001-01-01T00:00:00.000Z",
		"9999-12-31T23:59:59.999Z":            "9999-12-31T23:59:59.999Z",
		"1969-12-31T23:59:59.9999Z":           "1969-12-31T23:59:59.999Z",
	} {
		if at, err := fhir.ParseInstant(text); err != nil || at.String() != want {
			t.Errorf("%s is %s, want %s (%v)", text, at, want, err)
		}
	}
	for _, text := range []string{"", "2026", "2026-01-31", "2026-01-31T13:45Z", "2026-01-31T13:45:00", "2026-01-31 13:45:00Z",
		"2026-02-30T00:00:00Z", "2025-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-01-31T24:00:00Z", "2026-01-31T13:60:00Z",
		"2026-01-31T13:45:61Z", "2026-01-31T13:45:00.Z", "2026-01-31T13:45:00,1Z", "2026-01-31T13:45:00+14:30", "2026-01-31T13:45:00+15:00",
		"2026-01-31T13:45:00+1:00", "2026-01-31T13:45:00+01:60", "2026-01-31T13:45:00z", "2026-01-31t13:45:00Z", "2026-01-31T13:45:00Zx",
		" 2026-01-31T13:45:00Z", "0000-01-01T00:00:00Z", "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "9999-12-31T23:59:60Z",
		"2026-01-31T1:45:00Z", "２026-01-31T13:45:00Z"} {
		if at, err := fhir.ParseInstant(text); !fault.Is(err, fault.Invalid) || fault.Hint(err) == "" {
			t.Errorf("%q is taken for %s (%v)", text, at, err)
		}
	}
}

func TestInstant_roundTrips(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		at := fhir.Instant(rapid.Int64Range(-62135596800000, 253402300799999).Draw(t, "at"))
		text := at.String()
		if want := at.Time().Format("2006-01-02T15:04:05.000Z"); text != want {
			t.Fatalf("%s, want %s", text, want)
		}
		if back, err := fhir.ParseInstant(text); err != nil || back != at {
			t.Fatalf("%s is %d, want %d (%v)", text, back, at, err)
		}
		if fhir.InstantOf(at.Time().Add(999*time.Microsecond)) != at {
			t.Fatal("InstantOf does not cut down")
		}
	})
}

func TestInstant_staysInsideTheYearsOfFHIR(t *testing.T) {
	t.Parallel()
	low, high := fhir.Instant(math.MinInt64).String(), fhir.Instant(math.MaxInt64).String()
	if low != "0001-01-01T00:00:00.000Z" || high != "9999-12-31T23:59:59.999Z" {
		t.Error(low, high)
	}
}

func TestInstant_isTextInJSON(t *testing.T) {
	t.Parallel()
	var at fhir.Instant
	if data, err := json.Marshal(when); err != nil || string(data) != `"2026-01-01T00:00:00.123Z"` {
		t.Errorf("%s %v", data, err)
	}
	if err := json.Unmarshal([]byte(`"2026-01-01T01:00:00.123+01:00"`), &at); err != nil || at != when {
		t.Errorf("%s %v", at, err)
	}
	if err := json.Unmarshal([]byte(`"today"`), &at); err == nil {
		t.Error("taken for an instant: today")
	}
}

func FuzzParseInstant(f *testing.F) {
	f.Add("2026-01-31T13:45:00.123+01:00")
	f.Add("2016-12-31T23:59:60Z")
	f.Fuzz(func(t *testing.T, text string) {
		at, err := fhir.ParseInstant(text)
		if err != nil {
			return
		}
		if again, err := fhir.ParseInstant(at.String()); err != nil || again != at || strings.ContainsAny(text, " ,") {
			t.Fatalf("%q is %s, and that is %s (%v)", text, at, again, err)
		}
	})
}
