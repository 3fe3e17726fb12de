package control

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"

	"tarn/fault"
)

// tokenFormat is the first byte of what a NextToken holds; macSize bytes of authentication stand at its end.
const (
	tokenFormat = 1
	macSize     = 16
)

// nextToken makes a cursor opaque. The token is good only for the same list with the same filters.
func (f *Face) nextToken(cursor string, list ...string) string {
	if cursor == "" {
		return ""
	}
	data := append([]byte{tokenFormat}, cursor...)
	return base64.RawURLEncoding.EncodeToString(append(data, f.mac(data, list)...))
}

// cursor opens a NextToken that this server gave out for the same list; anything else is fault.Invalid.
func (f *Face) cursor(token string, list ...string) (string, error) {
	if token == "" {
		return "", nil
	}
	data, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err == nil && len(data) > 1+macSize && data[0] == tokenFormat {
		data, mac := data[:len(data)-macSize], data[len(data)-macSize:]
		if hmac.Equal(mac, f.mac(data, list)) {
			return string(data[1:]), nil
		}
	}
	return "", fault.WithHint(fault.Errorf(fault.Invalid, "control", "NextToken is not one that this list gave out."),
		"Send the NextToken of the page before, with the same filters.")
}

func (f *Face) mac(data []byte, list []string) []byte {
	h := hmac.New(sha256.New, f.TokenKey)
	for _, s := range list {
		h.Write(binary.BigEndian.AppendUint32(nil, uint32(len(s))))
		h.Write([]byte(s))
	}
	h.Write(data)
	return h.Sum(nil)[:macSize]
}
