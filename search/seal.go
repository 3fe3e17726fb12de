package search

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"

	"tarn/fault"
)

// A cursor may tell names and dates by which results are sorted, and it goes into URLs and logs. So it is encrypted, and
// it cannot be forged. The nonce follows from the contents, so that one page has one address.

func (s *Service) openSeal(key []byte) error {
	if key == nil {
		key = make([]byte, 32)
		_, _ = rand.Read(key) // never fails
	}
	if len(key) != 32 {
		return fault.Errorf(fault.Internal, "search.New", "the key of cursors has %d bytes, not 32", len(key))
	}
	sum := sha256.Sum256(append([]byte("tarn search cursor\x00"), key...))
	block, err := aes.NewCipher(sum[:])
	if err != nil {
		return fault.Wrap("search.New", err)
	}
	if s.seal, err = cipher.NewGCM(block); err != nil {
		return fault.Wrap("search.New", err)
	}
	sum = sha256.Sum256(append([]byte("tarn search nonce\x00"), key...))
	s.nonces = sum[:]
	return nil
}

// sealed is text that only open reads, bound to a data store.
func (s *Service) sealed(datastore string, plain []byte) string {
	mac := hmac.New(sha256.New, s.nonces)
	mac.Write([]byte(datastore))
	mac.Write([]byte{0})
	mac.Write(plain)
	nonce := mac.Sum(nil)[:s.seal.NonceSize()]
	return base64.RawURLEncoding.EncodeToString(s.seal.Seal(nonce, nonce, plain, []byte(datastore)))
}

func (s *Service) open(datastore, text string) ([]byte, bool) {
	raw, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || len(raw) < s.seal.NonceSize() {
		return nil, false
	}
	plain, err := s.seal.Open(nil, raw[:s.seal.NonceSize()], raw[s.seal.NonceSize():], []byte(datastore))
	return plain, err == nil
}
