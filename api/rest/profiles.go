package rest

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"mime"
	"net/http"
	"strconv"

	"tarn/api/edge"
	"tarn/fault"
	"tarn/fhir/r4"
	"tarn/interaction"
)

// Packages is the service behind the addresses of profiles.
type Packages interface {
	Install(ctx context.Context, datastore string, from io.Reader) (interaction.PackageInfo, error)
	List(ctx context.Context, datastore string) ([]interaction.PackageInfo, error)
	Remove(ctx context.Context, datastore, name, version string) ([]interaction.PackageInfo, error)
	Supported(ctx context.Context, datastore string) (map[r4.Code][]string, error)
}

// packageMedia are the media types that a package may come as; none is well too.
var packageMedia = map[string]bool{"": true, "application/gzip": true, "application/x-gzip": true, "application/tar+gzip": true, "application/x-tar": true,
	"application/x-compressed-tar": true, "application/octet-stream": true}

// packageList is the answer about several packages.
type packageList struct {
	Packages []interaction.PackageInfo `json:"packages"`
}

// installProfiles is POST profiles: the body is a FHIR package, a .tgz. The answer tells what is in it.
func (f *Face) installProfiles(r *request) error {
	if err := r.alone(); err != nil {
		return err
	}
	given := r.Header.Get("Content-Type")
	name, _, err := mime.ParseMediaType(given)
	if given != "" && (err != nil || !packageMedia[name]) {
		return edge.WithStatus(http.StatusUnsupportedMediaType, fault.WithHint(
			fault.Errorf(fault.Unsupported, "rest", "A FHIR package comes as application/gzip, not as %q.", given), "Send the .tgz with Content-Type: application/gzip."))
	}
	body, err := r.call.Bytes()
	if err != nil {
		return err
	}
	info, err := f.o.Packages.Install(r.Context(), r.target.Datastore, bytes.NewReader(body))
	if err != nil {
		return err
	}
	return r.answer(http.StatusCreated, info)
}

// listProfiles is GET profiles.
func (f *Face) listProfiles(r *request) error {
	if err := r.alone(); err != nil {
		return err
	}
	all, err := f.o.Packages.List(r.Context(), r.target.Datastore)
	if err != nil {
		return err
	}
	return r.answer(http.StatusOK, packageList{append([]interaction.PackageInfo{}, all...)})
}

// removeProfiles is DELETE profiles/{name} and profiles/{name}/{vid}. The answer tells what was removed.
func (f *Face) removeProfiles(r *request) error {
	if err := r.alone(); err != nil {
		return err
	}
	gone, err := f.o.Packages.Remove(r.Context(), r.target.Datastore, r.pack, r.vid)
	if err != nil {
		return err
	}
	return r.answer(http.StatusOK, packageList{gone})
}

// alone refuses a request that is an entry of a Bundle.
func (r *request) alone() error {
	if r.entry == nil {
		return nil
	}
	return fault.Errorf(fault.Unsupported, "rest", "Packages of profiles are not part of a Bundle.")
}

// answer sends what is no resource.
func (r *request) answer(status int, v any) error {
	body, err := json.Marshal(v)
	if err != nil {
		return fault.Wrap("rest", err)
	}
	h := r.w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(body)+1))
	r.w.WriteHeader(status)
	if r.Method != http.MethodHead {
		_, _ = r.w.Write(append(body, '\n')) // a caller that went away is nobody's error
	}
	return nil
}
