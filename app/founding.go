package app

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"strings"

	"tarn/fault"
	"tarn/kv"
)

// founding is what the rows of a server are bound to from its first start on, since they carry it: names of data stores
// and keys hold account and Region, and the objects and keys that rows speak of lie in one data directory.
type founding struct {
	Format int    `json:"v"` // 1
	Region string `json:"region"`
	Home   string `json:"home"` // of the data directory
}

var foundingKey = []byte("meta/founding")

// founded reads the founding: nil where there is none yet. fresh says that there are no rows of any server at all.
func founded(ctx context.Context, system kv.Space) (f *founding, fresh bool, err error) {
	snap, err := system.Snapshot(ctx)
	if err != nil {
		return nil, false, err
	}
	defer func() { err = errors.Join(err, snap.Close()) }()
	got, err := snap.Get(ctx, foundingKey)
	if err != nil {
		return nil, false, err
	}
	if got[0] != nil {
		f = new(founding)
		if err := json.Unmarshal(got[0], f); err != nil || f.Format != 1 {
			return nil, false, fault.Errorf(fault.Unsupported, "app", "These rows were written by a newer release of Tarn, or are damaged.")
		}
		return f, false, nil
	}
	it := snap.Scan(ctx, kv.Range{KeysOnly: true})
	fresh = !it.Next()
	return nil, fresh, errors.Join(it.Err(), it.Close())
}

// check refuses a start that does not fit the founding.
func (f *founding) check(cfg *Config, home string) error {
	if f.Region != cfg.Region {
		return fault.WithHint(fault.Errorf(fault.Conflict, "app", "This server was made in the Region %s, not in %s; the names of its data stores, keys and buckets carry it.", f.Region, cfg.Region),
			"Start with --region %s.", f.Region)
	}
	if cfg.DatabaseURL != "" && f.Home != home {
		return fault.WithHint(fault.Errorf(fault.Conflict, "app", "The database belongs to another data directory, where the objects and the master key of its server lie."),
			"Start with the --data-dir of that server, or with a database of its own.")
	}
	return nil
}

// found writes the founding at a first start.
func found(ctx context.Context, system kv.Space, region, home string) error {
	value, err := json.Marshal(founding{Format: 1, Region: region, Home: home})
	if err != nil {
		return fault.Wrap("app", err)
	}
	return system.Update(ctx, [][]byte{foundingKey}, func(tx kv.Locked) (*kv.Batch, error) {
		if tx.Values[0] != nil {
			return nil, fault.Errorf(fault.Conflict, "app", "Another server was started on the same database at the same moment.")
		}
		b := new(kv.Batch)
		b.Set(foundingKey, value)
		return b, nil
	})
}

// home names the data directory: a random number, kept in it.
func (d *dataDir) home() (string, error) {
	b, err := d.secret(d.at("home"), func() []byte { return []byte(hex.EncodeToString(random(16)) + "\n") })
	return strings.TrimSpace(string(b)), err
}

func random(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}
