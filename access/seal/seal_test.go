package seal_test

import (
	"bytes"
	"errors"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"tarn/access/seal"
	"tarn/fault"
)

func sealer(t testing.TB, fill byte) *seal.Sealer {
	t.Helper()
	s, err := seal.New(bytes.Repeat([]byte{fill}, seal.MasterSize))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestSealer_opensWhatItSealed(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(rt *rapid.T) {
		s := sealer(t, 7)
		plain := rapid.SliceOf(rapid.Byte()).Draw(rt, "plain")
		aad := rapid.SliceOf(rapid.Byte()).Draw(rt, "aad")
		sealed := s.Seal("test", plain, aad)
		if len(sealed) != len(plain)+seal.Overhead {
			rt.Fatalf("sealed %d bytes into %d, want %d more", len(plain), len(sealed), seal.Overhead)
		}
		got, err := sealer(t, 7).Open("test", sealed, aad)
		if err != nil || !bytes.Equal(got, plain) {
			rt.Fatalf("Open = %x, %v; want %x", got, err, plain)
		}
	})
}

func TestSealer_refusesEveryChangedBit(t *testing.T) {
	t.Parallel()
	s := sealer(t, 1)
	sealed := s.Seal("secret", []byte("wJalrXUtnFEMI"), []byte("AKIA"))
	for i := range sealed {
		for bit := range 8 {
			changed := bytes.Clone(sealed)
			changed[i] ^= 1 << bit
			if _, err := s.Open("secret", changed, []byte("AKIA")); !errors.Is(err, seal.ErrOpen) {
				t.Fatalf("byte %d bit %d: %v", i, bit, err)
			}
		}
		if _, err := s.Open("secret", sealed[:i], []byte("AKIA")); !errors.Is(err, seal.ErrOpen) {
			t.Fatalf("cut at %d: %v", i, err)
		}
	}
}

func TestSealer_bindsKeyPurposeAndData(t *testing.T) {
	t.Parallel()
	s := sealer(t, 1)
	sealed := s.Seal("secret", []byte("x"), []byte("AKIA"))
	for name, open := range map[string]func() ([]byte, error){
		"other purpose": func() ([]byte, error) { return s.Open("token", sealed, []byte("AKIA")) },
		"other data":    func() ([]byte, error) { return s.Open("secret", sealed, []byte("ASIA")) },
		"other master":  func() ([]byte, error) { return sealer(t, 2).Open("secret", sealed, []byte("AKIA")) },
		"nothing":       func() ([]byte, error) { return s.Open("secret", nil, nil) },
	} {
		plain, err := open()
		if err != seal.ErrOpen || plain != nil || fault.KindOf(err) != fault.Invalid {
			t.Errorf("%s: %q, %v", name, plain, err)
		}
	}
}

func TestSealer_neverRepeatsItself(t *testing.T) {
	t.Parallel()
	s := sealer(t, 1)
	seen := map[string]bool{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				sealed := string(s.Seal("secret", []byte("same"), nil))
				mu.Lock()
				if seen[sealed] {
					t.Error("two seals are equal")
				}
				seen[sealed] = true
				mu.Unlock()
			}
		})
	}
	wg.Wait()
}

func TestDerive_dependsOnEverything(t *testing.T) {
	t.Parallel()
	s := sealer(t, 1)
	base := s.Derive("session", []byte("a"), 30)
	if !bytes.Equal(base, sealer(t, 1).Derive("session", []byte("a"), 30)) || len(base) != 30 {
		t.Error("the same inputs derive different bytes")
	}
	for name, other := range map[string][]byte{
		"purpose": s.Derive("sessio", []byte("na"), 30),
		"info":    s.Derive("session", []byte("b"), 30),
		"master":  sealer(t, 2).Derive("session", []byte("a"), 30),
	} {
		if bytes.Equal(base, other) {
			t.Errorf("does not depend on the %s", name)
		}
	}
	if bytes.Equal(s.Fingerprint(), sealer(t, 2).Fingerprint()) {
		t.Error("two master keys have one fingerprint")
	}
}

func TestMaster_lengthsAndPassphrases(t *testing.T) {
	t.Parallel()
	for _, n := range []int{0, 16, 31, 65} {
		if _, err := seal.New(make([]byte, n)); fault.KindOf(err) != fault.Invalid {
			t.Errorf("New of %d bytes: %v", n, err)
		}
		if _, err := seal.ReadMaster(bytes.NewReader(make([]byte, n))); fault.KindOf(err) != fault.Invalid {
			t.Errorf("ReadMaster of %d bytes: %v", n, err)
		}
	}
	key, err := seal.ReadMaster(bytes.NewReader(seal.NewMaster()))
	if err != nil || len(key) != seal.MasterSize {
		t.Errorf("ReadMaster: %d bytes, %v", len(key), err)
	}
	salt := []byte(strings.Repeat("s", seal.SaltSize))
	a, errA := seal.FromPassphrase([]byte("correct horse"), salt)
	b, errB := seal.FromPassphrase([]byte("correct horse"), salt)
	c, errC := seal.FromPassphrase([]byte("correct horsf"), salt)
	if err := errors.Join(errA, errB, errC); err != nil || !bytes.Equal(a, b) || bytes.Equal(a, c) || len(a) != seal.MasterSize {
		t.Errorf("FromPassphrase is not a function of its inputs (%v)", err)
	}
	if _, err := seal.FromPassphrase(nil, salt); fault.KindOf(err) != fault.Invalid {
		t.Errorf("empty passphrase: %v", err)
	}
	if _, err := seal.FromPassphrase([]byte("x"), salt[1:]); fault.KindOf(err) != fault.Invalid {
		t.Errorf("short salt: %v", err)
	}
}

func FuzzOpen(f *testing.F) {
	s := sealer(f, 9)
	f.Add(s.Seal("p", []byte("plain"), nil))
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, sealed []byte) {
		if plain, err := s.Open("p", sealed, nil); err != nil && (err != seal.ErrOpen || plain != nil) {
			t.Fatalf("%q, %v", plain, err)
		}
	})
}
