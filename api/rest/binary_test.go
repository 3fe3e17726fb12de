package rest_test

import (
	"bytes"
	"net/http"
	"strings"
	"testing"

	"tarn/interaction"
)

func TestBinary_givesBackEveryByteUpToItsBound(t *testing.T) {
	t.Parallel()
	f := newFace(t)
	content := make([]byte, interaction.MaxBinary)
	for i := range content {
		content[i] = byte(i * 7)
	}
	header := http.Header{"Content-Type": {"application/octet-stream"}}
	for _, n := range []int{0, 1, 2, 3, 1000, interaction.MaxBinary} {
		resp, body := f.send(t, http.MethodPut, "Binary/b", header, content[:n])
		if resp.StatusCode >= 300 {
			t.Fatalf("%d bytes: %d %.300s", n, resp.StatusCode, body)
		}
		resp, got := f.send(t, http.MethodGet, "Binary/b", nil, nil)
		if resp.StatusCode != http.StatusOK || !bytes.Equal(got, content[:n]) || resp.Header.Get("Content-Type") != "application/octet-stream" {
			t.Errorf("%d bytes come back as %d, status %d", n, len(got), resp.StatusCode)
		}
	}
	resp, body := f.send(t, http.MethodPost, "Binary", header, append(content, 1))
	if resp.StatusCode != http.StatusRequestEntityTooLarge || !strings.Contains(string(body), "3749000") {
		t.Errorf("over the bound: %d %.300s", resp.StatusCode, body)
	}
}
