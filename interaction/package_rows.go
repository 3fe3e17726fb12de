package interaction

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"time"

	"tarn/fault"
	"tarn/fhir/profile"
	"tarn/store"
)

// Packages lie in the riders of their data store: one row for each package, and the .tgz as it came in chunks that the
// row names. A package is there once its row is, and a new row makes the old chunks leftovers.
const (
	packageRowKey = "profile/package/" // name/version -> packageRow
	packageData   = "profile/data/"    // id/number -> chunk
	packageFormat = 1
	chunkSize     = 1 << 20
	chunksAtOnce  = 4         // of one commit
	leftoverAge   = time.Hour // after which chunks that no row names are nobody's
)

// packageRow is the row of a package.
type packageRow struct {
	Format int    `json:"format"`
	ID     string `json:"id"`
	Chunks int    `json:"chunks"`
	Kept   int    `json:"kept"` // bytes of the definitions
	PackageInfo
}

func (r *packageRow) key() []byte { return []byte(packageRowKey + r.Name + "/" + r.Version) }

func chunkKey(id string, n int) []byte { return fmt.Appendf(nil, "%s%s/%04x", packageData, id, n) }

// removal are the riders that delete the package.
func (r *packageRow) removal() []store.Rider {
	return append([]store.Rider{{Key: r.key()}}, r.chunkRemoval()...)
}

func (r *packageRow) chunkRemoval() []store.Rider {
	riders := make([]store.Rider, r.Chunks)
	for n := range riders {
		riders[n].Key = chunkKey(r.ID, n)
	}
	return riders
}

// packageRows are the rows of a data store in the order of names and versions.
func packageRows(ctx context.Context, st *store.Store) ([]packageRow, error) {
	var all []packageRow
	for rider, err := range st.Riders(ctx, []byte(packageRowKey)) {
		if err != nil {
			return nil, err
		}
		row, err := parsePackageRow(rider.Value)
		if err != nil {
			return nil, err
		}
		all = append(all, row)
	}
	return all, nil
}

func parsePackageRow(value []byte) (packageRow, error) {
	var row packageRow
	if err := json.Unmarshal(value, &row); err != nil || row.Format != packageFormat {
		return row, fault.Errorf(fault.Internal, "interaction.packages", "the row of a package has the format %d", row.Format)
	}
	return row, nil
}

// writePackage keeps the chunks of a package, then its row; what it replaces goes with the row.
func writePackage(ctx context.Context, st *store.Store, row *packageRow, body []byte) error {
	var riders []store.Rider
	for at := 0; at < len(body); at += chunkSize {
		riders = append(riders, store.Rider{Key: chunkKey(row.ID, row.Chunks), Value: body[at:min(at+chunkSize, len(body))]})
		row.Chunks++
		if len(riders) == chunksAtOnce {
			if _, err := st.Commit(ctx, store.Transaction{Riders: riders}); err != nil {
				return err
			}
			riders = nil
		}
	}
	value, err := json.Marshal(row)
	if err != nil {
		return fault.Wrap("interaction.packages", err)
	}
	old, err := st.Rider(ctx, row.key())
	if err != nil {
		return err
	}
	if old != nil {
		if replaced, err := parsePackageRow(old); err == nil {
			riders = append(riders, replaced.chunkRemoval()...)
		}
	}
	riders = append(riders, store.Rider{Key: row.key(), Value: value})
	_, err = st.Commit(ctx, store.Transaction{Riders: riders})
	return err
}

// loadPackages reads packages again.
func loadPackages(ctx context.Context, st *store.Store, rows []packageRow) ([]*profile.Package, error) {
	var all []*profile.Package
	for i := range rows {
		var body bytes.Buffer
		n := 0
		for rider, err := range st.Riders(ctx, []byte(packageData+rows[i].ID+"/")) {
			if err != nil {
				return nil, err
			}
			body.Write(rider.Value)
			n++
		}
		if n != rows[i].Chunks {
			return nil, fault.Errorf(fault.Unavailable, "interaction.packages", "a package was replaced while it was read")
		}
		one, err := profile.Read(&body)
		if err != nil {
			return nil, fault.Errorf(fault.Internal, "interaction.packages", "a stored package cannot be read: %v", err)
		}
		all = append(all, one)
	}
	return all, nil
}

// sweep deletes chunks that no row names: of an installation that broke off, or that another overtook.
func (p *Packages) sweep(ctx context.Context, st *store.Store) error {
	rows, err := packageRows(ctx, st)
	if err != nil {
		return err
	}
	named := map[string]bool{}
	for i := range rows {
		named[rows[i].ID] = true
	}
	var riders []store.Rider
	for rider, err := range st.Riders(ctx, []byte(packageData)) {
		if err != nil {
			return err
		}
		if id := splitPackageKey(rider.Key); !named[id] && p.isLeftover(id) {
			riders = append(riders, store.Rider{Key: rider.Key})
		}
	}
	if riders == nil {
		return nil
	}
	_, err = st.Commit(ctx, store.Transaction{Riders: riders})
	return err
}

func (p *Packages) isLeftover(id string) bool {
	if len(id) < 12 {
		return true
	}
	made, err := strconv.ParseInt(id[:12], 16, 64)
	return err != nil || p.now().Sub(time.UnixMilli(made)) > leftoverAge
}
