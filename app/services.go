package app

import (
	"context"
	"fmt"
	"os"
	"slices"

	"tarn/access/seal"
	"tarn/account"
	"tarn/catalog"
	"tarn/cloud/local"
	"tarn/erase"
	"tarn/export"
	"tarn/fhir"
	"tarn/fhir/index"
	"tarn/ingest"
	"tarn/interaction"
	"tarn/job"
	"tarn/kv/pebble"
	"tarn/kv/postgres"
)

// openEngine opens the key-value engine that the configuration names, and the space that everybody shares.
func (a *App) openEngine(ctx context.Context) (err error) {
	if a.cfg.DatabaseURL != "" {
		a.engine, err = postgres.Open(ctx, a.cfg.DatabaseURL, postgres.Options{})
	} else {
		a.engine, err = pebble.Open(a.dir.at("store"), pebble.Options{CacheBytes: a.cfg.CacheBytes})
	}
	if err != nil {
		return err
	}
	a.onClose(a.engine.Close)
	a.engine = crashableEngine(a.engine, a.cfg.DataDir)
	a.system, err = a.engine.Open(ctx, "system")
	a.ready.system = a.system
	return err
}

// openServices opens everything below the faces.
func (a *App) openServices(ctx context.Context, sealer *seal.Sealer) (err error) {
	system := a.system
	if a.accounts, err = account.Open(ctx, system, account.Options{Account: a.cfg.Account, Sealer: sealer}); err != nil {
		return err
	}
	if a.root.AccessKeyID, a.root.Secret, _, err = a.accounts.EnsureRoot(ctx); err != nil {
		return err
	}
	if a.cloud, err = local.Open(ctx, local.Options{Space: system, Dir: a.dir.at("cloud"), Sealer: sealer, Directory: a.accounts,
		Account: a.cfg.Account, Region: a.cfg.Region}); err != nil {
		return err
	}
	a.onClose(a.cloud.Close)
	jobs, datastores, err := a.openEvents(ctx)
	if err != nil {
		return err
	}
	if a.ledger, err = job.Open(ctx, system, job.Options{OnState: jobs}); err != nil {
		return err
	}
	if a.catalog, err = catalog.Open(ctx, a.engine, system, catalog.Options{Account: a.cfg.Account, Region: a.cfg.Region, PublicURL: a.url, IndexEpoch: index.Epoch,
		Alone:   true, // the lock of the data directory, to which also a database is bound, keeps others out
		Enqueue: a.enqueue, OnStatus: datastores}); err != nil {
		return err
	}
	a.onClose(a.catalog.Close)
	jobsCloud := crashableCloud(a.cloud, a.cfg.DataDir)
	a.exports = export.New(export.Options{Datastores: a.catalog, Ledger: a.ledger, Cloud: jobsCloud, Workers: a.cfg.ExportWorkers, Share: a.cfg.ExportShare})
	a.packages = interaction.NewPackages(a.catalog)
	a.imports = ingest.New(ingest.Options{Datastores: a.catalog, Profiles: a.packages, Ledger: a.ledger, Cloud: jobsCloud, List: a.activeDatastores})
	a.interactions = interaction.New(a.catalog, fhir.Limits{})
	a.interactions.UseProfiles(a.packages)
	a.background = interaction.NewBackground(a.interactions, a.ledger)
	a.erasures = erase.New(erase.Options{Datastores: a.catalog, Ledger: a.ledger, Exports: a.exports, Wait: a.cfg.EraseWait, Keep: a.cfg.History, List: a.activeDatastores, Log: a.cfg.Log})
	host, _ := os.Hostname()
	a.runner = job.NewRunner(a.ledger, job.RunnerOptions{
		Owner: fmt.Sprintf("%s/%d", host, os.Getpid()),
		Kinds: map[job.Kind]job.Work{
			export.Kind:            frugal{a.exports.Work()},
			ingest.Import:          frugal{a.imports.ImportWork()},
			ingest.Preload:         frugal{a.imports.PreloadWork()},
			ingest.DeleteDatastore: a.imports.DeleteWork(),
			ingest.Reindex:         frugal{a.imports.ReindexWork()},

			interaction.TransactionKind: a.background.Work(),
			erase.Kind:                  a.erasures.Work(),
		},
		Workers: map[job.Kind]int{export.Kind: 4, ingest.Import: 4, ingest.Preload: 2, ingest.DeleteDatastore: 2, ingest.Reindex: 1,
			interaction.TransactionKind: 2, erase.Kind: 2},
		Lease:      0, // the lock of the data directory, to which also a database is bound, keeps rivals out
		StuckAfter: a.cfg.JobStuckAfter,
		Retention:  a.cfg.JobRetention,
		Log:        a.cfg.Log,
	})
	a.registry.MustRegister(a.runner.Collectors()...)
	return nil
}

// enqueue gives the catalog's long works to the ledger.
func (a *App) enqueue(ctx context.Context, t catalog.Task) error {
	if t.Token == "" {
		active, err := a.ledger.Active(ctx, t.Datastore)
		if err != nil || slices.ContainsFunc(active, func(r job.Record) bool { return r.Kind == job.Kind(t.Kind) }) {
			return err
		}
	}
	_, _, err := a.ledger.Enqueue(ctx, job.New{Kind: job.Kind(t.Kind), Datastore: t.Datastore, ClientToken: t.Token, Again: true})
	return err
}

// activeDatastores are the ids of all data stores that are ACTIVE.
func (a *App) activeDatastores(ctx context.Context) (ids []string, err error) {
	for cursor := ""; ; {
		page, err := a.catalog.List(ctx, catalog.Filter{Status: catalog.Active, Limit: catalog.MaxList, Cursor: cursor})
		if err != nil {
			return nil, err
		}
		for _, d := range page.Datastores {
			ids = append(ids, d.ID)
		}
		if cursor = page.Next; cursor == "" {
			return ids, nil
		}
	}
}
