package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/alecthomas/kong"

	"tarn/api/client"
	"tarn/app"
	"tarn/erase"
	"tarn/fault"
)

// What a server is like without flags; the tags below repeat it.
const (
	defaultListen  = "127.0.0.1:8080"
	defaultAccount = "000000000000"
	defaultRegion  = "us-east-1"
)

// serverFlags configure a server.
type serverFlags struct {
	DataDir       string `help:"Where everything lies. One process holds it at a time." default:"./tarn-data" placeholder:"DIR"`
	Listen        string `help:"HOST:PORT to listen on; port 0 is any free one." default:"127.0.0.1:8080" placeholder:"HOST:PORT"`
	PublicURL     string `name:"public-url" help:"Base of every address that is given out (default: http://LISTEN)." placeholder:"URL"`
	Account       string `help:"Twelve digits; fixed by the first start." default:"000000000000" placeholder:"ID"`
	Region        string `help:"AWS Region that the server answers for." default:"us-east-1" placeholder:"REGION"`
	DatabaseURL   string `name:"database-url" help:"Keep rows in PostgreSQL: postgres://USER@HOST/DB." placeholder:"URL"`
	MasterKeyFile string `help:"File with the master key that seals all others (default: DIR/keys/master.key). Or a passphrase in TARN_MASTER_PASSPHRASE." placeholder:"FILE"`
	TrustProxy    bool   `help:"Take the caller's address from X-Forwarded-For: only behind a proxy that sets it."`
	CacheSize     int64  `help:"Memory for the storage engine's block cache, in MiB." default:"64" placeholder:"MIB"`
	ExportWorkers int    `help:"Parts of exports that are written at once." default:"2" placeholder:"N"`
	ExportShare   int    `help:"Percent of the time that each of them takes while others write to the data store, 1 to 100." default:"25" placeholder:"PERCENT"`

	EventWebhook    string        `help:"Send every new state of a job or a data store to this address, as a CloudEvent." placeholder:"URL"`
	EventSecretFile string        `help:"Sign what is sent there with the contents of this file (HMAC-SHA256, header X-Tarn-Signature)." placeholder:"FILE"`
	JobRetention    time.Duration `help:"How long the records of ended jobs are kept, such as 8760h; 0 is for ever." default:"0" placeholder:"TIME"`
	History         string        `help:"Superseded versions that are kept: all, those of so many days (30d), or so many of each resource (10)." default:"all" placeholder:"KEEP"`
	EraseWait       time.Duration `help:"How long exports may hold up the removal of what was erased before they are ended." default:"24h" placeholder:"TIME"`
	JobStuckAfter   time.Duration `help:"How long a job may make no progress before it is begun again." default:"15m" placeholder:"TIME"`
	SearchTime      time.Duration `help:"How long one search may take before it is refused as too costly." default:"30s" placeholder:"TIME"`
}

// config is the flags as the server takes them.
func (f *serverFlags) config(log *slog.Logger) app.Config {
	history, _ := erase.ParseRetention(f.History) // open has looked at it
	return app.Config{History: history, EraseWait: f.EraseWait, DataDir: f.DataDir, Listen: f.Listen, PublicURL: f.base(), Account: f.Account, Region: f.Region,
		DatabaseURL: f.DatabaseURL, MasterKeyFile: f.MasterKeyFile, MasterPassphrase: os.Getenv("TARN_MASTER_PASSPHRASE"),
		TrustProxy: f.TrustProxy, CacheBytes: f.CacheSize << 20, ExportWorkers: f.ExportWorkers, ExportShare: f.ExportShare, EventWebhook: f.EventWebhook,
		EventSecretFile: f.EventSecretFile, JobRetention: f.JobRetention, JobStuckAfter: f.JobStuckAfter, SearchTime: f.SearchTime, Version: version, Log: log}
}

// base is the public URL; where the server listens on all addresses and none is named, it is the one of this machine.
func (f *serverFlags) base() string {
	host, port, err := net.SplitHostPort(f.Listen)
	if f.PublicURL != "" || err != nil || port == "0" {
		return f.PublicURL
	}
	if ip := net.ParseIP(host); host == "" || ip != nil && ip.IsUnspecified() {
		return "http://127.0.0.1:" + port
	}
	return ""
}

// settle makes the data directory's path absolute; an empty one is the default.
func (f *serverFlags) settle() {
	if f.DataDir == "" {
		f.DataDir = client.DefaultDataDir
	}
	f.DataDir = kong.ExpandPath(f.DataDir)
}

// open opens the server. Its errors carry their exit codes.
func (f *serverFlags) open(ctx context.Context, log *slog.Logger) (*app.App, error) {
	if f.CacheSize < 1 || f.ExportWorkers < 1 {
		return nil, usagef("Leave the flag out for the default.", "--cache-size and --export-workers are 1 or more, not %d and %d.", f.CacheSize, f.ExportWorkers)
	}
	if f.ExportShare < 1 || f.ExportShare > 100 {
		return nil, usagef("Leave the flag out for the default.", "--export-share is a percentage from 1 to 100, not %d.", f.ExportShare)
	}
	if _, err := erase.ParseRetention(f.History); err != nil {
		return nil, &usageError{err}
	}
	if f.MasterKeyFile != "" {
		f.MasterKeyFile = kong.ExpandPath(f.MasterKeyFile)
	}
	a, err := app.Open(ctx, f.config(log))
	switch {
	case err == nil:
		return a, nil
	case errors.Is(err, app.ErrInUse):
		return nil, &inUse{err}
	case fault.Is(err, fault.Invalid):
		return nil, &usageError{err}
	default:
		return nil, &failedLocally{err}
	}
}

type serveCmd struct {
	serverFlags
	LogFormat string `help:"text or json." enum:"text,json" default:"text" placeholder:"FORMAT"`
	LogLevel  string `help:"debug, info, warn or error." enum:"debug,info,warn,error" default:"info" placeholder:"LEVEL"`
}

// Help is the long help.
func (*serveCmd) Help() string {
	return `The server prints one line on standard output, "ready http://HOST:PORT", when it answers; its log goes to standard
error. A first start makes the account, the root's access key and a profile for AWS clients in DIR/aws. SIGTERM or Ctrl-C
lets what is under way finish and exits 0; jobs that are not done go on at the next start.`
}

// Run serves until it is told to stop.
func (c *serveCmd) Run(ctx context.Context, s *screen) error {
	c.settle()
	_, err := os.Stat(filepath.Join(c.DataDir, "aws", "credentials"))
	firstStart := os.IsNotExist(err)
	log := c.logger(s)
	a, err := c.open(ctx, log)
	if err != nil {
		return err
	}
	log.Info("serving", slog.String("address", a.Address()), slog.String("url", a.URL()), slog.String("data", c.DataDir), slog.String("version", version))
	if u, err := url.Parse(a.Address()); err == nil && !net.ParseIP(u.Hostname()).IsLoopback() && !strings.HasPrefix(c.PublicURL, "https://") {
		log.Warn("other machines reach this server without TLS: put a proxy in front and say so with --public-url https://...")
	}
	if firstStart {
		c.welcome(s, log, a.URL())
	}
	err = a.Run(ctx, func() { fmt.Fprintf(s.out, "ready %s\n", a.Address()) })
	if err == nil {
		err = a.Close()
	} else {
		_ = a.Close() // why it failed stands in the first error
	}
	if err != nil {
		return &failedLocally{err}
	}
	log.Info("stopped")
	return nil
}

func (c *serveCmd) logger(s *screen) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.LogLevel)) // one of the flag's enum
	o := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(s.err, o))
	}
	return slog.New(slog.NewTextHandler(s.err, o))
}

// welcome says, at the first start, how clients find the server. The secret stays in its file.
func (c *serveCmd) welcome(s *screen, log *slog.Logger, url string) {
	dir := filepath.Join(c.DataDir, "aws")
	if c.LogFormat == "json" {
		log.Info("first start: a profile for AWS clients was written", slog.String("profile", "tarn"), slog.String("directory", dir))
		return
	}
	s.note(`
  Tarn is new here: it has made an account, the root's access key and a profile for AWS clients.

    export AWS_CONFIG_FILE=%s
    export AWS_SHARED_CREDENTIALS_FILE=%s
    aws healthlake list-fhir-datastores --profile tarn --endpoint-url %s

  Or with this program:  tarn datastore create NAME --data-dir %s
`, quote(filepath.Join(dir, "config")), quote(filepath.Join(dir, "credentials")), url, quote(c.DataDir))
}
