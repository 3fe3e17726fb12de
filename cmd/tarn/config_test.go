package main

import (
	"strings"
	"testing"

	"tarn/fault"
)

func FuzzReadConfig(f *testing.F) {
	for _, seed := range []string{"", "data-dir: /srv", "a: [1, 2]\nb: {c: d}", "- x", "? ", "\x00", "listen: &a x\nregion: *a"} {
		f.Add(seed)
	}
	parser, err := newParser()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text string) {
		c, err := readConfig(strings.NewReader(text))
		if err != nil {
			if fault.Hint(err) == "" {
				t.Errorf("no advice in %v", err)
			}
			return
		}
		if err := c.Validate(parser.Model); err != nil && fault.KindOf(err) != fault.Invalid {
			t.Errorf("refused by %v", err)
		}
	})
}

func FuzzReadFailures(f *testing.F) {
	f.Add(`{"lineId":7,"UpdateResourceResponse":{"jsonBlob":{"issue":[{"diagnostics":"x","expression":["a"]}]}}}` + "\n{")
	f.Fuzz(func(t *testing.T, log string) {
		all, err := readFailures(strings.NewReader(log), "p.ndjson", nil)
		if err != nil || len(all) > maxFailures {
			t.Errorf("%d failures, %v", len(all), err)
		}
	})
}

func TestServerFlags_giveOutAnAddressThatWorks(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ listen, public, want string }{
		{"127.0.0.1:8080", "", ""}, {"0.0.0.0:8080", "", "http://127.0.0.1:8080"}, {":8080", "", "http://127.0.0.1:8080"},
		{"[::]:9", "", "http://127.0.0.1:9"}, {"0.0.0.0:0", "", ""}, {"0.0.0.0:80", "https://x", "https://x"}, {"nonsense", "", ""},
	} {
		if got := (&serverFlags{Listen: test.listen, PublicURL: test.public}).base(); got != test.want {
			t.Errorf("--listen %s --public-url %q gives out %q, want %q", test.listen, test.public, got, test.want)
		}
	}
}
