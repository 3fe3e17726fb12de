package client

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
)

// ProfilePackage is a FHIR package that is installed in a data store.
type ProfilePackage struct {
	Name        string         `json:"name"`
	Version     string         `json:"version"`
	Title       string         `json:"title,omitempty"`
	Canonical   string         `json:"canonical,omitempty"`
	Installed   string         `json:"installed"`
	Bytes       int64          `json:"bytes"`
	SHA256      string         `json:"sha256"`
	Profiles    int            `json:"profiles"`
	Extensions  int            `json:"extensions"`
	ValueSets   int            `json:"valueSets"`
	CodeSystems int            `json:"codeSystems"`
	NotChecked  []NotCheckable `json:"notChecked,omitempty"`
}

// NotCheckable is a profile that the server cannot check, and why.
type NotCheckable struct {
	URL string `json:"url"`
	Why string `json:"why"`
}

type packageList struct {
	Packages []ProfilePackage `json:"packages"`
}

// InstallProfiles puts a FHIR package (.tgz) into a data store; one of the same name and version is replaced.
func (c *Client) InstallProfiles(ctx context.Context, datastore string, archive []byte) (ProfilePackage, error) {
	var out ProfilePackage
	resp, err := c.FHIRWith(ctx, http.MethodPost, datastore, "profiles", http.Header{"Content-Type": {"application/gzip"}}, archive)
	if err != nil {
		return out, err
	}
	return out, decode(resp, &out, json.Unmarshal)
}

// Profiles are the FHIR packages of a data store.
func (c *Client) Profiles(ctx context.Context, datastore string) ([]ProfilePackage, error) {
	return c.packages(ctx, http.MethodGet, datastore, "profiles")
}

// RemoveProfiles takes a FHIR package away, all its versions where none is given, and tells what was removed.
func (c *Client) RemoveProfiles(ctx context.Context, datastore, name, version string) ([]ProfilePackage, error) {
	path := "profiles/" + url.PathEscape(name)
	if version != "" {
		path += "/" + url.PathEscape(version)
	}
	return c.packages(ctx, http.MethodDelete, datastore, path)
}

func (c *Client) packages(ctx context.Context, method, datastore, path string) ([]ProfilePackage, error) {
	resp, err := c.FHIR(ctx, method, datastore, path, nil)
	if err != nil {
		return nil, err
	}
	var out packageList
	err = decode(resp, &out, json.Unmarshal)
	return out.Packages, err
}
