package main

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"time"

	"tarn/api/client"
	"tarn/app"
	"tarn/fault"
	"tarn/synth"
)

type demoCmd struct {
	Patients int  `help:"How many people the sample population has; each brings some 300 resources." default:"100" placeholder:"N"`
	Keep     bool `help:"Keep the server running after the demo, until Ctrl-C."`
	serverFlags
}

// Help is the long help.
func (*demoCmd) Help() string {
	return `A server is started on the data directory (on another port if 8080 is taken), a data store named demo is filled with an
invented population by an import job, exported under a KMS key of yours, and the export is read back and proved against its
manifest and the data store. Run it again for another export of the same data store.`
}

// demo is one run of the trip.
type demo struct {
	*demoCmd
	s       *screen
	api     *client.Client
	store   client.Datastore
	to      place
	job     client.ExportProgress
	console bool // the server has a web console
	running bool // the server is somebody else's, who keeps it running
}

// Run makes the trip.
func (c *demoCmd) Run(ctx context.Context, s *screen) (err error) {
	if c.Patients < 1 || c.Patients > 100_000 {
		return usagef("--patients 100", "A demo has 1 to 100,000 patients, not %d.", c.Patients)
	}
	c.settle()
	d := &demo{demoCmd: c, s: s}
	s.say("%s", s.head("Tarn: a FHIR data store that gives your data back\n"))
	stop, err := d.server(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, stop()) }()
	for _, step := range []func(context.Context) error{d.population, d.place, d.export, d.prove, d.show} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	d.next()
	if c.Keep && !d.running {
		s.say("\nThe server keeps running at %s. Ctrl-C stops it.", d.api.Endpoint())
		<-ctx.Done()
	}
	return nil
}

// done prints the outcome of a step.
func (d *demo) done(what, format string, args ...any) {
	d.s.say("  %s %-11s "+format, append([]any{d.s.good("✓"), what}, args...)...)
}

// server starts a server, or finds the one that holds the data directory already. stop ends what was started.
func (d *demo) server(ctx context.Context) (stop func() error, err error) {
	if d.Listen == defaultListen && taken(d.Listen) {
		d.Listen = "127.0.0.1:0"
	}
	a, err := d.open(ctx, slog.New(slog.NewTextHandler(d.s.err, &slog.HandlerOptions{Level: slog.LevelError})))
	var held *inUse
	if errors.As(err, &held) {
		if d.api, _ = (&remote{DataDir: d.DataDir}).connect(); d.api != nil && d.api.Ready(ctx) == nil {
			d.running = true
			d.done("server", "%s, which is running already, data in %s", d.api.Endpoint(), d.DataDir)
			return func() error { return nil }, nil
		}
	}
	if err != nil {
		return nil, err
	}
	root := a.Root()
	d.api, err = client.New(client.Config{Endpoint: a.Address(), Region: d.Region, Credentials: client.Credentials{AccessKeyID: root.AccessKeyID, Secret: root.Secret}})
	if err != nil {
		return nil, errors.Join(err, a.Close())
	}
	stop, err = background(ctx, a)
	if err == nil {
		d.done("server", "%s, data in %s", a.Address(), d.DataDir)
	}
	return stop, err
}

// background runs a server until stop is called, which waits until it has ended. It returns when the server is ready.
func background(ctx context.Context, a *app.App) (stop func() error, err error) {
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() { ended <- a.Run(run, func() { close(ready) }) }()
	select {
	case <-ready:
	case err := <-ended:
		cancel()
		return nil, &failedLocally{errors.Join(err, a.Close())}
	}
	return func() error {
		cancel()
		if err := errors.Join(<-ended, a.Close()); err != nil {
			return &failedLocally{err}
		}
		return nil
	}, nil
}

// taken reports whether somebody listens at an address.
func taken(address string) bool {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return true
	}
	return l.Close() != nil
}

const demoName = "demo"

func demoAdvice() advice {
	const again = "Run the demo again: it goes on with the same data store."
	return advice{stopped: "Stopped. " + again, lost: again}
}

// population finds the data store of an earlier run, or makes and fills one.
func (d *demo) population(ctx context.Context) (err error) {
	d.store, err = findDatastore(ctx, d.api, demoName)
	if fault.Is(err, fault.NotFound) {
		d.store, err = createDatastore(ctx, d.s, d.api, demoName, false)
	}
	if err != nil {
		return err
	}
	jobs, err := d.api.ListImports(ctx, d.store.DatastoreId, maxJobs)
	if err != nil {
		return err
	}
	for _, j := range jobs {
		if j.JobStatus == "COMPLETED" {
			d.done("data store", "%s, filled by an earlier run", d.store.DatastoreName)
			return nil
		}
	}
	start := time.Now()
	report, err := d.fill(ctx)
	if err != nil {
		return err
	}
	elapsed := time.Since(start)
	d.done("data store", "%s: %s of %s invented people imported in %s", d.store.DatastoreName,
		plural(report.TotalNumberOfResourcesImported, "resource"), comma(d.Patients), took(elapsed))
	return nil
}

// fill uploads a population and imports it.
func (d *demo) fill(ctx context.Context) (report client.ProgressReport, err error) {
	dir, err := os.MkdirTemp("", "tarn-demo-")
	if err != nil {
		return report, &failedLocally{err}
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if _, err = synth.WriteDir(ctx, dir, synth.Options{Seed: 1, Patients: d.Patients}); err != nil {
		return report, err
	}
	files, err := gather([]string{dir})
	if err != nil {
		return report, err
	}
	from, err := placeFlags{Create: true}.prepare(ctx, d.api, "import", d.store)
	if err != nil {
		return report, err
	}
	up, err := send(ctx, d.s, d.api, from.Bucket, uploadPrefix(time.Now()), files)
	if err != nil {
		return report, err
	}
	job, err := d.api.StartImport(ctx, importRequest(d.store.DatastoreId, from, up.uri(), "demo-population", "strict"))
	if err != nil {
		return report, err
	}
	j, err := waitImport(ctx, d.s, d.api, d.store.DatastoreId, job, demoAdvice(), up.lines)
	if err == nil && j.JobStatus != "COMPLETED" {
		err = fault.Errorf(fault.Conflict, "", "The import of the population is %s: %s", j.JobStatus, j.Message)
	}
	return j.JobProgressReport, err
}

// place makes key, bucket and role, as the export guide of HealthLake asks for.
func (d *demo) place(ctx context.Context) (err error) {
	if d.to, err = (placeFlags{Create: true}).prepare(ctx, d.api, demoName, d.store); err != nil {
		return err
	}
	d.done("key", "%s", d.to.Key)
	d.done("bucket", "%s: no public access, encrypted under the key", d.to.Bucket)
	d.done("role", "%s: for this data store only", d.to.Role)
	return nil
}

// export checks, starts and waits.
func (d *demo) export(ctx context.Context) error {
	in := exportRequest(d.store.DatastoreId, d.to, "", "demo-export")
	findings, err := d.api.Preflight(ctx, in)
	if err != nil {
		return err
	}
	if len(findings) > 0 {
		d.s.findings(d.s.err, findings)
		return errReported
	}
	d.done("preflight", "nothing stands in the way")
	start := time.Now()
	job, err := d.api.StartExport(ctx, in)
	if err != nil {
		return err
	}
	if d.job, err = waitExport(ctx, d.s, d.api, d.store.DatastoreId, job, demoAdvice()); err != nil {
		return err
	}
	if d.job.JobStatus != "COMPLETED" {
		return fault.Errorf(fault.Conflict, "", "The export is %s: %s", d.job.JobStatus, d.job.Message)
	}
	elapsed, p := time.Since(start), d.job.Progress
	d.done("export", "%s in %s, %s, in %s", plural(p.Resources, "resource"), plural(p.Files, "file"), size(p.Bytes), took(elapsed))
	return nil
}
