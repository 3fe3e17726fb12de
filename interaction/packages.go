package interaction

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"tarn/fault"
	"tarn/fhir/profile"
	"tarn/store"
)

// The most that a data store has of FHIR packages.
const (
	MaxPackages    = 64
	MaxDefinitions = 256 << 20 // bytes of the definitions in them, unpacked
)

// Packages are the FHIR packages that are installed in the data stores: an implementation guide's profiles, which
// resources that declare them are held against. They lie in the data store's own space, so that they go with
// it. It is a ProfileSource and safe for concurrent use.
type Packages struct {
	datastores Datastores
	now        func() time.Time
	shelves    sync.Map   // id of a data store to *packageShelf
	changing   sync.Mutex // one installation at a time: packages are large
}

// NewPackages makes the service over the data stores.
func NewPackages(d Datastores) *Packages { return &Packages{datastores: d, now: time.Now} }

// PackageInfo tells of one installed package.
type PackageInfo struct {
	Name        string       `json:"name"`
	Version     string       `json:"version"`
	Title       string       `json:"title,omitempty"`
	Canonical   string       `json:"canonical,omitempty"`
	Installed   string       `json:"installed"` // when, RFC 3339
	Bytes       int          `json:"bytes"`     // of the .tgz
	SHA256      string       `json:"sha256"`
	Profiles    int          `json:"profiles"`
	Extensions  int          `json:"extensions"`
	ValueSets   int          `json:"valueSets"`
	CodeSystems int          `json:"codeSystems"`
	NotChecked  []NotChecked `json:"notChecked,omitempty"` // profiles that cannot be checked, the first hundred
}

// NotChecked is a profile that cannot be checked, and why.
type NotChecked struct {
	URL string `json:"url"`
	Why string `json:"why"`
}

// Install reads a package and keeps it; one of the same name and version is replaced, at once and whole. fault.Invalid
// and fault.TooLarge tell what is wrong with it.
func (p *Packages) Install(ctx context.Context, datastore string, from io.Reader) (PackageInfo, error) {
	const op = "interaction.Install"
	st, err := p.datastores.Store(ctx, datastore)
	if err != nil {
		return PackageInfo{}, err
	}
	body, err := io.ReadAll(io.LimitReader(from, profile.MaxPacked+1))
	if err != nil {
		return PackageInfo{}, err
	}
	p.changing.Lock()
	defer p.changing.Unlock()
	one, err := profile.Read(bytes.NewReader(body))
	if err != nil {
		return PackageInfo{}, err
	}
	rows, err := packageRows(ctx, st)
	if err != nil {
		return PackageInfo{}, err
	}
	row := packageRow{Format: packageFormat, ID: newPackageID(p.now()), Kept: one.Size, PackageInfo: p.describe(one, body)}
	others := slices.DeleteFunc(slices.Clone(rows), func(r packageRow) bool { return r.Name == row.Name && r.Version == row.Version })
	if len(others) >= MaxPackages {
		return PackageInfo{}, fault.WithHint(fault.Errorf(fault.Conflict, op, "The data store has %d packages, which is the most.", len(others)), "Remove one that no resource declares any more.")
	}
	for i := range others {
		if row.Kept += others[i].Kept; row.Kept > MaxDefinitions {
			return PackageInfo{}, fault.WithHint(fault.Errorf(fault.TooLarge, op, "The definitions of all packages of the data store have at most %d bytes.", MaxDefinitions), "Remove one that no resource declares any more.")
		}
	}
	row.Kept = one.Size
	all, err := loadPackages(ctx, st, others)
	if err != nil {
		return PackageInfo{}, err
	}
	row.NotChecked = notChecked(profile.NewSet(append(all, one)...), one)
	if err := writePackage(ctx, st, &row, body); err != nil {
		return PackageInfo{}, err
	}
	p.forget(datastore)
	return row.PackageInfo, p.sweep(ctx, st)
}

// describe is what is known of a package as it came.
func (p *Packages) describe(one *profile.Package, body []byte) PackageInfo {
	sum := sha256.Sum256(body)
	info := PackageInfo{Name: one.Name, Version: one.Version, Title: one.Title, Canonical: one.Canonical, Bytes: len(body),
		SHA256: hex.EncodeToString(sum[:]), Installed: p.now().UTC().Format(time.RFC3339), ValueSets: one.ValueSets, CodeSystems: one.CodeSystems}
	for _, d := range one.Definitions {
		if d.Type == "Extension" {
			info.Extensions++
		} else {
			info.Profiles++
		}
	}
	return info
}

// notChecked are the profiles of the package that the set cannot check.
func notChecked(set *profile.Set, one *profile.Package) []NotChecked {
	var all []NotChecked
	for _, p := range set.Profiles() {
		own := slices.ContainsFunc(one.Definitions, func(d profile.Definition) bool { return d.URL == p.URL && d.Version == p.Version })
		if own && p.Flaw != "" && len(all) < 100 {
			all = append(all, NotChecked{p.URL, p.Flaw})
		}
	}
	return all
}

// List are the packages of a data store in the order of their names and versions.
func (p *Packages) List(ctx context.Context, datastore string) ([]PackageInfo, error) {
	st, err := p.datastores.Store(ctx, datastore)
	if err != nil {
		return nil, err
	}
	rows, err := packageRows(ctx, st)
	if err != nil {
		return nil, err
	}
	all := make([]PackageInfo, len(rows))
	for i := range rows {
		all[i] = rows[i].PackageInfo
	}
	return all, nil
}

// Remove takes a package away, all its versions where none is named, and gives what was removed. fault.NotFound: there
// was none.
func (p *Packages) Remove(ctx context.Context, datastore, name, version string) ([]PackageInfo, error) {
	st, err := p.datastores.Store(ctx, datastore)
	if err != nil {
		return nil, err
	}
	p.changing.Lock()
	defer p.changing.Unlock()
	rows, err := packageRows(ctx, st)
	if err != nil {
		return nil, err
	}
	var riders []store.Rider
	var gone []PackageInfo
	for i := range rows {
		if r := &rows[i]; r.Name == name && (version == "" || r.Version == version) {
			riders = append(riders, r.removal()...)
			gone = append(gone, r.PackageInfo)
		}
	}
	if gone == nil {
		what := name
		if version != "" {
			what += "@" + version
		}
		return nil, fault.Errorf(fault.NotFound, "interaction.Remove", "There is no package %s in this data store.", what)
	}
	if _, err := st.Commit(ctx, store.Transaction{Riders: riders}); err != nil {
		return nil, err
	}
	p.forget(datastore)
	return gone, p.sweep(ctx, st)
}

// newPackageID names the chunks of one installation; it begins with the time, so that leftovers can be told.
func newPackageID(now time.Time) string {
	var b [8]byte
	rand.Read(b[:])
	return fmt.Sprintf("%012x%x", now.UnixMilli(), b)
}

// splitPackageKey is the id in the key of a chunk.
func splitPackageKey(key []byte) string {
	id, _, _ := strings.Cut(strings.TrimPrefix(string(key), packageData), "/")
	return id
}
