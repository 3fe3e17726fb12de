package app

import (
	"bytes"
	"context"
	"os"

	"tarn/catalog"
	"tarn/event"
	"tarn/export"
	"tarn/fault"
	"tarn/ingest"
	"tarn/job"
	"tarn/kv"
)

// openEvents makes the sender of events and returns what the ledger and the catalog are to tell; nil where nobody asked
// for events.
func (a *App) openEvents(ctx context.Context) (jobs func(*kv.Batch, job.Record), datastores func(*kv.Batch, catalog.Datastore), err error) {
	if a.cfg.EventWebhook == "" {
		return nil, nil, nil
	}
	hook := event.Webhook{URL: a.cfg.EventWebhook, Log: a.cfg.Log}
	if a.cfg.EventSecretFile != "" {
		secret, err := os.ReadFile(a.cfg.EventSecretFile)
		if err != nil {
			return nil, nil, fault.Errorf(fault.Invalid, "app", "The secret for events cannot be read: %v.", err)
		}
		if hook.Secret = bytes.TrimSpace(secret); len(hook.Secret) == 0 {
			return nil, nil, fault.Errorf(fault.Invalid, "app", "The file with the secret for events is empty.")
		}
	}
	outbox, err := event.Open(ctx, a.system, event.Origin{Account: a.cfg.Account, Region: a.cfg.Region}, nil)
	if err != nil {
		return nil, nil, err
	}
	if a.events, err = event.NewSender(outbox, hook); err != nil {
		return nil, nil, err
	}
	a.registry.MustRegister(a.events.Collectors()...)
	jobs = func(b *kv.Batch, rec job.Record) {
		arn := a.catalog.ARN(rec.Datastore)
		switch rec.Kind {
		case export.Kind:
			outbox.Job(b, rec, "Export", arn, export.Output(rec))
		case ingest.Import:
			outbox.Job(b, rec, "Import", arn, ingest.Output(rec))
		}
	}
	datastores = func(b *kv.Batch, d catalog.Datastore) { outbox.Datastore(b, d.ID, d.ARN, string(d.Status)) }
	return jobs, datastores, nil
}
