package export_test

import (
	"bytes"
	"reflect"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"tarn/export"
	"tarn/store"
)

func TestPlan_cutsFilesOfFiveThousand(t *testing.T) {
	t.Parallel()
	parts := export.CutForTest(1, 12345, nil, 5000)
	var counts []int
	for _, p := range parts {
		counts = append(counts, p.Count)
	}
	if want := []int{5000, 5000, 2345}; !slices.Equal(counts, want) {
		t.Errorf("12,345 resources make parts of %v, want %v", counts, want)
	}
}

func TestPlan_holdsEachLiveResourceOnceAndFillsEveryPartButTheLast(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		next := rapid.Uint32Range(0, 300).Draw(t, "next")
		limit := rapid.IntRange(1, 20).Draw(t, "limit")
		gone := rapid.SliceOfDistinct(rapid.Uint32Range(0, 320), func(o uint32) uint32 { return o }).Draw(t, "dead")
		var dead []store.Ordinal
		for _, o := range gone {
			if o < next {
				dead = append(dead, store.Ordinal(o))
			}
		}
		slices.Sort(dead)
		live := int(next) - len(dead)
		parts := export.CutForTest(7, store.Ordinal(next), dead, limit)
		at, total := store.Ordinal(0), 0
		for i, p := range parts {
			if p.Type != 7 || p.N != i || p.From < at || p.To > store.Ordinal(next) || p.From >= p.To {
				t.Fatalf("part %d is %+v behind %d", i, p, at)
			}
			for o := at; o < p.From; o++ {
				if !slices.Contains(dead, o) {
					t.Fatalf("ordinal %d is live and in no part", o)
				}
			}
			n := 0
			for o := p.From; o < p.To; o++ {
				if !slices.Contains(dead, o) {
					n++
				}
			}
			if n != p.Count || i < len(parts)-1 && n != limit || n > limit || n == 0 {
				t.Fatalf("part %d says %d and holds %d live of %d", i, p.Count, n, limit)
			}
			at, total = p.To, total+n
		}
		if total != live {
			t.Fatalf("the parts hold %d of %d", total, live)
		}
	})
}

func TestPlan_isReadAsItWasStored(t *testing.T) {
	t.Parallel()
	var plan []export.Part
	for i := range 40_000 { // of several pieces
		from := store.Ordinal(i * 5000)
		plan = append(plan, export.Part{Type: 3, N: i, From: from, To: from + 5000 + store.Ordinal(i%7), Count: 5000})
	}
	for i := range 400 {
		p := export.Part{Type: 4, N: i, From: store.Ordinal(i), Deleted: i%2 == 0}
		for k := range store.Ordinal(1 + 12*i) {
			p.Members = append(p.Members, store.Ordinal(i)+k*k*7)
		}
		p.Count, p.To = len(p.Members), p.Members[len(p.Members)-1]+1
		plan = append(plan, p)
	}
	for i := range 400 {
		plan = append(plan, export.Part{Type: 5, N: i, Count: 1 + i, Blocks: bytes.Repeat([]byte{byte(i)}, 1+5*i), Continues: i%3 == 0})
	}
	again, pieces, err := export.PlanRoundTripForTest(plan)
	if err != nil || !reflect.DeepEqual(again, plan) {
		t.Fatalf("the plan came back changed (%v)", err)
	}
	if pieces < 2 {
		t.Errorf("%d piece; the test wants several", pieces)
	}
}

func TestPlan_refusesWhatIsNone(t *testing.T) {
	t.Parallel()
	for name, b := range map[string][]byte{"empty": {}, "format": {9, 1}, "cut short": {1, 5, 0, 0}, "blocks cut short": {3, 5, 0, 0, 1, 9, 1}, "endless number": {1, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255}} {
		if _, err := export.DecodePlanForTest(b); err == nil {
			t.Errorf("%s: taken for a plan", name)
		}
	}
}
