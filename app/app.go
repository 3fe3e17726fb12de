// Package app is the only room that knows everybody: it opens a server from its configuration, runs it, and closes it.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"tarn/access/seal"
	"tarn/account"
	"tarn/api/edge"
	"tarn/catalog"
	"tarn/cloud/local"
	"tarn/erase"
	"tarn/event"
	"tarn/export"
	"tarn/fault"
	"tarn/ingest"
	"tarn/interaction"
	"tarn/job"
	"tarn/kv"
)

// App is an open server. Its parts are listed in the order in which they are opened; Close goes backwards.
type App struct {
	cfg          Config
	dir          *dataDir
	listener     net.Listener
	url          string
	registry     *prometheus.Registry
	engine       kv.Engine
	system       kv.Space
	ready        readiness
	accounts     *account.Accounts
	cloud        *local.Cloud
	ledger       *job.Ledger
	events       *event.Sender // nil without a webhook
	catalog      *catalog.Catalog
	exports      *export.Service
	imports      *ingest.Service
	interactions *interaction.Service
	packages     *interaction.Packages
	background   *interaction.Background
	erasures     *erase.Service
	runner       *job.Runner
	edge         *edge.Edge
	handler      http.Handler
	root         Credentials
	closers      []func() error
}

// Credentials are the root's access key.
type Credentials struct{ AccessKeyID, Secret string }

// Open takes the data directory, binds the listener and opens everything, making at a first start what is not there:
// the master key, the account with its root access key, and a profile for AWS clients. Nothing is served before Run.
func Open(ctx context.Context, cfg Config) (a *App, err error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	boundMemory(cfg.CacheBytes)
	a = &App{cfg: cfg, registry: prometheus.NewRegistry()}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.Close())
			a = nil
		}
	}()
	if a.dir, err = openDataDir(cfg.DataDir); err != nil {
		return a, err
	}
	a.onClose(a.dir.close)
	if err := a.listen(); err != nil {
		return a, err
	}
	if err := a.openEngine(ctx); err != nil {
		return a, err
	}
	home, err := a.dir.home()
	if err != nil {
		return a, err
	}
	before, fresh, err := founded(ctx, a.system)
	if err == nil && before != nil {
		err = before.check(&cfg, home)
	}
	if err != nil {
		return a, err
	}
	master, err := a.dir.master(cfg.MasterKeyFile, cfg.MasterPassphrase, fresh)
	if err != nil {
		return a, err
	}
	sealer, err := seal.New(master)
	if err != nil {
		return a, err
	}
	if err := a.openServices(ctx, sealer); err != nil {
		return a, err
	}
	if before == nil { // last: what made sure that the key fits has been done
		if err := found(ctx, a.system, cfg.Region, home); err != nil {
			return a, err
		}
	}
	if err := a.openFaces(sealer.Derive("page tokens", nil, 32)); err != nil {
		return a, err
	}
	return a, a.writeProfile()
}

func (a *App) onClose(f func() error) { a.closers = append(a.closers, f) }

// Close frees everything; it waits for what is under way. A second Close does nothing.
func (a *App) Close() error {
	var all error
	for i := len(a.closers) - 1; i >= 0; i-- {
		all = errors.Join(all, a.closers[i]())
	}
	a.closers = nil
	return all
}

// URL is the base address of the server, as clients know it.
func (a *App) URL() string { return a.url }

// Address is where the server listens: http://HOST:PORT.
func (a *App) Address() string { return "http://" + a.listener.Addr().String() }

// Root is the root's access key; empty where it has been deleted.
func (a *App) Root() Credentials { return a.root }

// Handler serves all faces; Run serves it on the listener.
func (a *App) Handler() http.Handler { return a.handler }

func (a *App) listen() error {
	l, err := net.Listen("tcp", a.cfg.Listen)
	if err != nil {
		err, inUse := fault.Errorf(fault.Unavailable, "app", "Cannot listen on %s: %v.", a.cfg.Listen, err), errors.Is(err, syscall.EADDRINUSE)
		if inUse {
			return fault.WithHint(err, "Another program may use the port; choose one with --listen, or --listen 127.0.0.1:0 for any free one.")
		}
		return fault.WithHint(err, "--listen takes an address of this machine and a port that this user may open.")
	}
	a.listener = l
	a.onClose(func() error {
		if err := l.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})
	a.url = strings.TrimRight(a.cfg.PublicURL, "/")
	if a.url == "" {
		a.url = "http://" + l.Addr().String()
	}
	return nil
}

// drainTime is how long requests under way may take when the server stops, breakTime how long those may take after it
// that were broken off.
const (
	drainTime = 20 * time.Second
	breakTime = 10 * time.Second
)

// Run serves until ctx ends, then lets requests and parts of jobs under way finish; unfinished jobs go on at the next
// start. ready is called once requests are served.
func (a *App) Run(ctx context.Context, ready func()) error {
	work, stop := context.WithCancelCause(context.WithoutCancel(ctx))
	var beside sync.WaitGroup
	beside.Go(func() { trimIdle(work) })
	beside.Go(func() { a.exports.CleanNowAndThen(work, a.cfg.Log) })
	beside.Go(func() { a.imports.TidyNowAndThen(work, a.cfg.Log) })
	beside.Go(func() { a.background.TidyNowAndThen(work, a.activeDatastores, a.cfg.Log) })
	beside.Go(func() { a.erasures.Run(work) })
	if a.events != nil {
		beside.Go(func() { a.events.Run(work) })
	}
	defer beside.Wait()
	defer stop(nil)
	jobs := make(chan error, 1)
	a.ready.jobs.Store(true)
	go func() {
		defer a.ready.jobs.Store(false)
		jobs <- a.runner.Run(work)
	}()
	if err := a.catalog.Recover(ctx); err != nil {
		a.cfg.Log.Error("data stores were not all recovered", slog.String("error", err.Error()))
	}
	beside.Go(func() { a.catalog.RecoverNowAndThen(work, a.cfg.Log) })
	calls := &underway{handler: a.handler}
	base, breakOff := context.WithCancel(context.WithoutCancel(ctx))
	defer breakOff()
	server := a.edge.Server(calls)
	server.BaseContext = func(net.Listener) context.Context { return base }
	served := make(chan error, 1)
	go func() { served <- server.Serve(a.listener) }()
	if ready != nil {
		ready()
	}
	var failed error
	select {
	case <-ctx.Done():
	case failed = <-served:
		failed = fmt.Errorf("the listener failed: %w", failed)
	}
	a.edge.Drain()
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	stop(job.ErrDrain)
	if err := server.Shutdown(drain); err != nil {
		breakOff()
		failed = errors.Join(failed, server.Close())
		if !calls.wait(breakTime) { // what they use is about to be closed
			failed = errors.Join(failed, fault.Errorf(fault.Internal, "app", "Requests under way did not end in time."))
		}
	}
	if err := <-jobs; err != nil && !errors.Is(err, context.Canceled) && !errors.Is(err, job.ErrDrain) {
		failed = errors.Join(failed, err)
	}
	return failed
}
