package interaction_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"tarn/fault"
	"tarn/fhir/r4"
	"tarn/interaction"
	"tarn/store"
)

// Accounts are Basics with an amount; transactions move amounts between two of them and write down what they moved, and
// for whom: a Patient that they create unless it is there.
const (
	accounts = 6
	patients = 4
	initial  = 1000
	workers  = 100
	rounds   = 5
)

type account struct {
	Identifier []struct{ Value string }
	Code       struct{ Text string }
	Meta       struct{ VersionID string }
}

// amount is that of an account; a note has none.
func (a *account) amount() (int, bool) {
	n, err := strconv.Atoi(a.Code.Text)
	return n, err == nil && len(a.Identifier) == 1
}

type note struct {
	Code   struct{ Text string }
	Author struct{ Reference string }
}

func basic(id, text, more string) string {
	return fmt.Sprintf(`{"resourceType":"Basic","id":"%s","code":{"text":"%s"}%s}`, id, text, more)
}

// transfer makes the Bundle that moves an amount from one account to another as they were read.
func transfer(from, to string, a, b account, n, patient int, conditional bool) string {
	x, _ := a.amount()
	y, _ := b.amount()
	urlOf := func(id string) string {
		if conditional {
			return "Basic?identifier=" + id
		}
		return "Basic/" + id
	}
	identified := func(id string) string { return fmt.Sprintf(`,"identifier":[{"value":"%s"}]`, id) }
	return fmt.Sprintf(`
		{"fullUrl":"urn:uuid:0a000000-0000-4000-8000-000000000001","resource":{"resourceType":"Patient","identifier":[{"value":"p%d"}]},"request":{"method":"POST","url":"Patient","ifNoneExist":"identifier=p%d"}},
		{"resource":%s,"request":{"method":"PUT","url":"%s","ifMatch":"W/\"%s\""}},
		{"resource":%s,"request":{"method":"PUT","url":"%s","ifMatch":"W/\"%s\""}},
		{"resource":{"resourceType":"Basic","code":{"text":"%s %s %d"},"author":{"reference":"urn:uuid:0a000000-0000-4000-8000-000000000001"},"subject":{"reference":"Patient?identifier=p%d"}},"request":{"method":"POST","url":"Basic"}}`,
		patient, patient,
		basic(from, fmt.Sprint(x-n), identified(from)), urlOf(from), a.Meta.VersionID,
		basic(to, fmt.Sprint(y+n), identified(to)), urlOf(to), b.Meta.VersionID,
		from, to, n, patient)
}

func TestTransact_aHundredAtOnceKeepTheirPromises(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for i := range accounts {
		id := fmt.Sprintf("a%d", i)
		if _, err := w.transact(fmt.Sprintf(`{"resource":%s,"request":{"method":"PUT","url":"Basic/%s"}}`,
			basic(id, fmt.Sprint(initial), fmt.Sprintf(`,"identifier":[{"value":"%s"}]`, id)), id)); err != nil {
			t.Fatal(err)
		}
	}
	typ, _ := r4.CodeOf("Basic")
	read := func(ctx context.Context, id string) (a account) {
		v, err := w.Read(ctx, interaction.Target{Datastore: place, Type: typ, ID: id})
		if err == nil {
			err = json.Unmarshal(v.Body, &a)
		}
		if err != nil {
			t.Error(err)
		}
		return a
	}
	var done, refused atomic.Int64
	var wg sync.WaitGroup
	for worker := range workers {
		wg.Go(func() {
			random := rand.New(rand.NewPCG(uint64(worker), 7))
			for tries, left := 0, rounds; left > 0 && tries < 40*rounds; tries++ {
				i := random.IntN(accounts)
				j := (i + 1 + random.IntN(accounts-1)) % accounts
				from, to := fmt.Sprintf("a%d", i), fmt.Sprintf("a%d", j)
				entries := transfer(from, to, read(t.Context(), from), read(t.Context(), to), 1+random.IntN(9), random.IntN(patients), random.IntN(2) == 0)
				switch _, err := w.transact(entries); {
				case err == nil:
					done.Add(1)
					left--
				case fault.Is(err, fault.Precondition): // an account has moved on
					refused.Add(1)
				default:
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	t.Logf("%d transactions were done, %d refused", done.Load(), refused.Load())
	if done.Load() == 0 || t.Failed() {
		t.Fatal("nothing was done")
	}
	checkPromises(t, w, int(done.Load()))
}

// checkPromises replays what was written down.
func checkPromises(t *testing.T, w *world, done int) {
	t.Helper()
	patientType, _ := r4.CodeOf("Patient")
	head, err := w.store.Head(t.Context())
	must(t, err)
	// As of every transaction the sum is the same: each was there whole or not at all.
	for tx := store.TxID(accounts); tx <= head.Tx; tx++ {
		balances, notes := standing(t, w, tx)
		sum := 0
		for _, amount := range balances {
			sum += amount
		}
		if sum != accounts*initial {
			t.Fatalf("as of transaction %d the sum is %d, want %d", tx, sum, accounts*initial)
		}
		if want := int(tx) - accounts; len(notes) != want {
			t.Fatalf("as of transaction %d there are %d notes, want %d", tx, len(notes), want)
		}
	}
	// No update is lost: the notes give the balances.
	balances, notes := standing(t, w, head.Tx)
	if len(notes) != done {
		t.Errorf("there are %d notes of %d transactions", len(notes), done)
	}
	authors := map[string]int{}
	for _, n := range notes {
		var from, to string
		var amount int
		if _, err := fmt.Sscanf(n.Code.Text, "%s %s %d", &from, &to, &amount); err != nil {
			t.Fatal(err)
		}
		balances[from] += amount
		balances[to] -= amount
		authors[n.Author.Reference]++
	}
	for id, amount := range balances {
		if amount != initial {
			t.Errorf("%s has %d after all is taken back", id, amount)
		}
	}
	// Conditional creates are unique, and everybody refers to what they made or found.
	v, err := w.store.Latest(t.Context())
	must(t, err)
	defer func() { must(t, v.Close()) }()
	count := 0
	s := v.Scan(t.Context(), patientType, 0, store.End)
	for s.Next() {
		count++
		if authors["Patient/"+s.Version().ID] == 0 {
			t.Errorf("nobody refers to Patient/%s", s.Version().ID)
		}
		delete(authors, "Patient/"+s.Version().ID)
	}
	must(t, s.Err())
	must(t, s.Close())
	if count > patients || len(authors) > 0 {
		t.Errorf("there are %d patients for %d identifiers; references to none: %v", count, patients, authors)
	}
}

// standing are the balances and notes as of a transaction.
func standing(t *testing.T, w *world, tx store.TxID) (balances map[string]int, notes []note) {
	t.Helper()
	v, err := w.store.At(t.Context(), tx)
	must(t, err)
	defer func() { must(t, v.Close()) }()
	typ, _ := r4.CodeOf("Basic")
	balances = map[string]int{}
	s := v.Scan(t.Context(), typ, 0, store.End)
	for s.Next() {
		var a account
		must(t, json.Unmarshal(s.Body(), &a))
		if n, ok := a.amount(); ok {
			balances[s.Version().ID] = n
			continue
		}
		var n note
		must(t, json.Unmarshal(s.Body(), &n))
		notes = append(notes, n)
	}
	must(t, s.Err())
	must(t, s.Close())
	return balances, notes
}
