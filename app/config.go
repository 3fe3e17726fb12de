package app

import (
	"log/slog"
	"net"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"

	"tarn/erase"
	"tarn/fault"
)

// Config says how a server works. It is plain data; the zero value of a field means its default.
type Config struct {
	DataDir          string          // where everything lies; default ./tarn-data
	Listen           string          // HOST:PORT; default 127.0.0.1:8080
	PublicURL        string          // base of all addresses that are given out; default http://LISTEN
	Account          string          // twelve digits; default 000000000000
	Region           string          // default us-east-1
	DatabaseURL      string          // postgres://...: keep rows there instead of in the data directory
	MasterKeyFile    string          // default DATADIR/keys/master.key, made at the first start
	MasterPassphrase string          // instead of a key file
	TrustProxy       bool            // take the caller's address from X-Forwarded-For
	CacheBytes       int64           // of the engine's block cache; default 64 MiB
	ExportWorkers    int             // parts of exports that are written at once; default 2
	ExportShare      int             // percent of the time that each of them takes while others write; default 25
	EventWebhook     string          // address that is told of state changes; empty: none is
	EventSecretFile  string          // file whose contents sign what is sent there
	JobRetention     time.Duration   // how long the records of ended jobs are kept; 0: for ever
	JobStuckAfter    time.Duration   // how long a job may make no progress before it is begun again; default 15 minutes
	SearchTime       time.Duration   // how long one search may take; default 30 seconds
	History          erase.Retention // superseded versions that are kept; the zero value is all
	EraseWait        time.Duration   // how long exports may hold up the purge of what was erased; default 24 hours
	Version          string          // of the software
	Log              *slog.Logger
}

var (
	twelveDigits = regexp.MustCompile(`^[0-9]{12}$`)
	regionName   = regexp.MustCompile(`^[a-z]{2}(-[a-z]+)+-[0-9]$`)
)

// mostDatabaseWorkers leaves half of the connections to a database that read to others than exports.
const mostDatabaseWorkers = 12

// check fills in defaults and refuses what cannot work.
func (c *Config) check() error {
	set := func(field *string, value string) {
		if *field == "" {
			*field = value
		}
	}
	set(&c.DataDir, "./tarn-data")
	set(&c.Listen, "127.0.0.1:8080")
	set(&c.Account, "000000000000")
	set(&c.Region, "us-east-1")
	set(&c.Version, "dev")
	if c.CacheBytes <= 0 {
		c.CacheBytes = 64 << 20
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	switch {
	case !isListen(c.Listen):
		return fault.Errorf(fault.Invalid, "app", "The address to listen on has a form such as 127.0.0.1:8080, not %q.", c.Listen)
	case !twelveDigits.MatchString(c.Account):
		return fault.Errorf(fault.Invalid, "app", "The account is twelve digits, not %q.", c.Account)
	case !regionName.MatchString(c.Region):
		return fault.Errorf(fault.Invalid, "app", "The Region has a form such as us-east-1, not %q.", c.Region)
	case c.MasterKeyFile != "" && c.MasterPassphrase != "":
		return fault.Errorf(fault.Invalid, "app", "Give a master key file or a passphrase, not both.")
	case c.EventSecretFile != "" && c.EventWebhook == "":
		return fault.Errorf(fault.Invalid, "app", "A secret for events goes with the address of a webhook.")
	case c.SearchTime < 0:
		return fault.Errorf(fault.Invalid, "app", "The time that a search may take is not below zero.")
	case c.JobRetention < 0 || c.JobStuckAfter < 0:
		return fault.Errorf(fault.Invalid, "app", "The retention of jobs, and the time without progress, are not below zero.")
	case c.ExportShare < 0 || c.ExportShare > 100:
		return fault.Errorf(fault.Invalid, "app", "The share of exports is a percentage from 1 to 100.")
	case c.DatabaseURL != "" && c.ExportWorkers > mostDatabaseWorkers:
		return fault.Errorf(fault.Invalid, "app", "With a database at most %d parts of exports are written at once: each holds one of its connections.", mostDatabaseWorkers)
	case c.EraseWait < 0:
		return fault.Errorf(fault.Invalid, "app", "The time that exports may hold up an erasure is not below zero.")
	case c.DatabaseURL != "" && !strings.HasPrefix(c.DatabaseURL, "postgres://") && !strings.HasPrefix(c.DatabaseURL, "postgresql://"):
		return fault.Errorf(fault.Invalid, "app", "The database URL begins with postgres://.")
	}
	if c.PublicURL != "" {
		u, err := url.Parse(c.PublicURL)
		if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || strings.Trim(u.Path, "/") != "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return fault.Errorf(fault.Invalid, "app", "The public URL has a form such as https://fhir.example.org, without a path; not %q.", c.PublicURL)
		}
	}
	return nil
}

func isListen(address string) bool {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	_, err = strconv.ParseUint(port, 10, 16)
	return err == nil
}
