// Package seal keeps small secrets at rest: access keys, wrapped keys, session tokens. It is pure; callers say where
// the sealed bytes lie.
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io"
	"sync"

	"golang.org/x/crypto/scrypt"

	"tarn/fault"
)

// Sizes, in bytes.
const (
	MasterSize = 32 // of a master key as FromPassphrase and NewMaster make it; New accepts 32 to 64
	SaltSize   = 16 // the least that FromPassphrase accepts
	Overhead   = 1 + nonceSize + tagSize

	maxMaster = 64
	keySize   = 32
	nonceSize = 12
	tagSize   = 16
	version   = 1
)

// ErrOpen says that sealed bytes were made by another key, for another purpose or with other additional data, or were
// changed since. It never says which, so that nothing can be learned by trying.
var ErrOpen error = &fault.Error{Op: "seal.Open", Kind: fault.Invalid, Msg: "the sealed data cannot be opened",
	Err: errors.New("authentication failed")}

// Sealer seals under keys derived from one master key, one for each purpose. It is safe for concurrent use.
type Sealer struct {
	master []byte
	mu     sync.RWMutex
	keys   map[string]cipher.AEAD
}

// New makes a sealer under a master key of 32 to 64 bytes of full entropy; any other length is fault.Invalid.
// The bytes are copied.
func New(master []byte) (*Sealer, error) {
	if len(master) < MasterSize || len(master) > maxMaster {
		return nil, fault.Errorf(fault.Invalid, "seal.New", "a master key has %d to %d bytes, not %d", MasterSize, maxMaster, len(master))
	}
	return &Sealer{master: append([]byte(nil), master...), keys: map[string]cipher.AEAD{}}, nil
}

// NewMaster is a fresh random master key.
func NewMaster() []byte {
	key := make([]byte, MasterSize)
	rand.Read(key)
	return key
}

// FromPassphrase derives a master key from a passphrase by scrypt (N=32768, r=8, p=1: about 0.1 s and 32 MiB). An empty
// passphrase, or a salt under SaltSize bytes, is fault.Invalid.
func FromPassphrase(pass, salt []byte) ([]byte, error) {
	switch {
	case len(pass) == 0:
		return nil, fault.Errorf(fault.Invalid, "seal.FromPassphrase", "the passphrase is empty")
	case len(salt) < SaltSize:
		return nil, fault.Errorf(fault.Invalid, "seal.FromPassphrase", "a salt has at least %d bytes, not %d", SaltSize, len(salt))
	}
	key, err := scrypt.Key(pass, salt, 1<<15, 8, 1, MasterSize)
	return key, fault.Wrap("seal.FromPassphrase", err)
}

// Seal encrypts and authenticates plain with AES-256-GCM under the purpose's key, bound to aad. The result is a version
// byte, a random nonce, the ciphertext and its tag: Overhead bytes longer than plain. Nonces are random, so one purpose
// should not seal more than 2^32 messages.
func (s *Sealer) Seal(purpose string, plain, aad []byte) []byte {
	out := make([]byte, 1+nonceSize, Overhead+len(plain))
	out[0] = version
	rand.Read(out[1:])
	return s.aead(purpose).Seal(out, out[1:], plain, aad)
}

// Open is the inverse of Seal. Whatever is wrong, the error is ErrOpen.
func (s *Sealer) Open(purpose string, sealed, aad []byte) ([]byte, error) {
	if len(sealed) < Overhead || sealed[0] != version {
		return nil, ErrOpen
	}
	plain, err := s.aead(purpose).Open(nil, sealed[1:1+nonceSize], sealed[1+nonceSize:], aad)
	if err != nil {
		return nil, ErrOpen
	}
	return plain, nil
}

// Derive is n bytes (at most 8,160) that depend on the master key, the purpose and info, and tell nothing of any of
// them. They are not related to the key that Seal uses for the same purpose.
func (s *Sealer) Derive(purpose string, info []byte, n int) []byte {
	return derive(s.master, "tarn/derive/"+purpose+"\x00"+string(info), n)
}

// aead makes a purpose's cipher once. Purposes are words in our code, never foreign data, so the map stays small.
func (s *Sealer) aead(purpose string) cipher.AEAD {
	s.mu.RLock()
	a := s.keys[purpose]
	s.mu.RUnlock()
	if a != nil {
		return a
	}
	block, err := aes.NewCipher(derive(s.master, "tarn/seal/"+purpose, keySize))
	if err == nil {
		a, err = cipher.NewGCM(block)
	}
	if err != nil {
		panic("seal: AES-256-GCM refused a 32-byte key: " + err.Error())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys[purpose] = a
	return a
}

func derive(master []byte, info string, n int) []byte {
	key, err := hkdf.Key(sha256.New, master, nil, info, n)
	if err != nil {
		panic("seal: HKDF: " + err.Error())
	}
	return key
}

// Fingerprint names the master key without telling anything about it: the same key gives the same 16 bytes. A place
// where sealed things lie keeps it, so that a start with another key can be refused with a clear word.
func (s *Sealer) Fingerprint() []byte { return s.Derive("fingerprint", nil, 16) }

// ReadMaster reads a master key from a reader: exactly MasterSize bytes, as NewMaster makes them, and nothing after.
func ReadMaster(r io.Reader) ([]byte, error) {
	key, err := io.ReadAll(io.LimitReader(r, MasterSize+1))
	if err != nil {
		return nil, fault.Wrap("seal.ReadMaster", err)
	}
	if len(key) != MasterSize {
		return nil, fault.Errorf(fault.Invalid, "seal.ReadMaster", "a master key file has exactly %d bytes", MasterSize)
	}
	return key, nil
}
