package export_test

import (
	"fmt"
	"reflect"
	"testing"

	"pgregory.net/rapid"

	"tarn/export"
	"tarn/fhir/r4"
	"tarn/store"
)

func TestBlocks_areCutIntoPartsThatHoldAllAndDivideOnlyWhatIsTooLong(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(2, 12).Draw(t, "limit")
		var blocks []export.BlockForTest
		want := map[string]int{}
		for i := range rapid.IntRange(0, 20).Draw(t, "blocks") {
			b := export.BlockForTest{Patient: fmt.Sprintf("p%d", i)}
			for range rapid.IntRange(1, 4).Draw(t, "types") {
				var members []store.Ordinal
				at := store.Ordinal(0)
				for range rapid.IntRange(1, 15).Draw(t, "members") {
					at += store.Ordinal(rapid.IntRange(1, 300).Draw(t, "distance"))
					members = append(members, at)
				}
				b.Types = append(b.Types, r4.Code(1+len(b.Types)))
				b.Members = append(b.Members, members)
				want[b.Patient] += len(members)
			}
			blocks = append(blocks, b)
		}
		var again []export.BlockForTest // joined over parts
		continues := false
		for n, p := range export.CutBlocksForTest(limit, blocks) {
			of, err := export.BlocksForTest(p)
			if err != nil || len(of) == 0 || p.N != n {
				t.Fatalf("part %d is %+v: %v", n, p, err)
			}
			lines := len(of)
			for i, b := range of {
				size := 0
				for _, m := range b.Members {
					size += len(m)
				}
				lines += size
				if goesOn := i == 0 && continues || i == len(of)-1 && p.Continues; size != want[b.Patient] != goesOn {
					t.Fatalf("part %d holds %d of the %d of %s", n, size, want[b.Patient], b.Patient)
				} else if goesOn && want[b.Patient]+1 <= limit {
					t.Fatalf("%s is divided, though it would fit", b.Patient)
				}
				if i == 0 && continues {
					join(&again[len(again)-1], b)
				} else {
					again = append(again, b)
				}
			}
			if count := lines - len(of); lines > limit || count != p.Count {
				t.Fatalf("part %d has %d lines of %d, and counts %d", n, lines, limit, p.Count)
			}
			continues = p.Continues
		}
		if continues || !reflect.DeepEqual(again, blocks) {
			t.Fatalf("the parts hold\n%v, want\n%v", again, blocks)
		}
	})
}

// join puts what follows of a block behind it.
func join(b *export.BlockForTest, more export.BlockForTest) {
	for i, typ := range more.Types {
		if last := len(b.Types) - 1; b.Types[last] == typ {
			b.Members[last] = append(b.Members[last], more.Members[i]...)
			continue
		}
		b.Types, b.Members = append(b.Types, typ), append(b.Members, more.Members[i])
	}
}
