package console

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"mime"
	"net/http"
	"path"
	"strings"
	"time"

	"tarn/fault"
)

//go:embed assets all:templates
var files embed.FS

// assets are style, script and picture. Their addresses hold a hash of their content, so browsers keep them for ever.
type assets struct {
	byName map[string]string // console.css -> /console/assets/console.0123456789abcdef.css
	bodies map[string][]byte // console.0123456789abcdef.css -> content
}

func loadAssets() (assets, error) {
	a := assets{map[string]string{}, map[string][]byte{}}
	entries, err := files.ReadDir("assets")
	if err != nil {
		return a, fault.Wrap("console", err)
	}
	for _, e := range entries {
		body, err := files.ReadFile("assets/" + e.Name())
		if err != nil {
			return a, fault.Wrap("console", err)
		}
		sum := sha256.Sum256(body)
		ext := path.Ext(e.Name())
		hashed := strings.TrimSuffix(e.Name(), ext) + "." + hex.EncodeToString(sum[:8]) + ext
		a.byName[e.Name()] = "/console/assets/" + hashed
		a.bodies[hashed] = body
	}
	return a, nil
}

// asset serves one of the assets.
func (c *Console) asset(v *visit) error {
	name := v.r.PathValue("name")
	body, ok := c.assets.bodies[name]
	if !ok {
		http.Error(v.w, "There is no such file.", http.StatusNotFound)
		return nil
	}
	h := v.w.Header()
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Set("Content-Type", mime.TypeByExtension(path.Ext(name)))
	http.ServeContent(v.w, v.r, "", time.Time{}, bytes.NewReader(body))
	return nil
}
