package main

import (
	"context"
	"strings"

	"github.com/alecthomas/kong"

	"tarn/api/client"
	"tarn/fault"
)

// remote says which server a command calls, and as whom.
type remote struct {
	DataDir     string `help:"Take address and credentials from this server's data directory." placeholder:"DIR" group:"Which server, and as whom"`
	Profile     string `help:"Profile of the AWS configuration files (default: tarn)." placeholder:"NAME" group:"Which server, and as whom"`
	EndpointUrl string `name:"endpoint-url" help:"Address of the server (default: the profile's, else http://127.0.0.1:8080)." placeholder:"URL" group:"Which server, and as whom"`
	Region      string `help:"Region to sign for (default: the profile's, else us-east-1)." placeholder:"REGION" group:"Which server, and as whom"`
	JSON        bool   `name:"json" help:"Print the result as JSON on standard output, all else on standard error." group:"Output"`
}

// connect makes the client. It sends nothing.
func (r *remote) connect() (*client.Client, error) {
	if r.DataDir != "" {
		r.DataDir = kong.ExpandPath(r.DataDir)
	}
	cfg, err := client.Lookup{DataDir: r.DataDir, Profile: r.Profile, Endpoint: r.EndpointUrl, Region: r.Region}.Find()
	if err != nil {
		return nil, err
	}
	return client.New(cfg)
}

// flags repeats the flags that lead to the server, for commands that are printed as advice.
func (r *remote) flags() string {
	var b strings.Builder
	for _, f := range []struct{ name, value string }{{"data-dir", r.DataDir}, {"profile", r.Profile}, {"endpoint-url", r.EndpointUrl}, {"region", r.Region}} {
		if f.value != "" {
			b.WriteString(" --" + f.name + " " + quote(f.value))
		}
	}
	return b.String()
}

// quote makes a word safe for a shell.
func quote(word string) string {
	if word != "" && !strings.ContainsFunc(word, func(c rune) bool {
		return !(c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.ContainsRune("-_./:=@%+,", c))
	}) {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// dataStore names the data store that a command is about.
type dataStore struct {
	Datastore string `help:"The data store, by id or name (default: the only active one)." short:"s" placeholder:"ID|NAME"`
}

// find is the data store that the flag names.
func (d *dataStore) find(ctx context.Context, c *client.Client) (client.Datastore, error) {
	return findDatastore(ctx, c, d.Datastore)
}

// findDatastore finds a data store by its id or its name, or the only active one where neither is given.
func findDatastore(ctx context.Context, c *client.Client, named string) (client.Datastore, error) {
	if isID(named) {
		return c.DescribeDatastore(ctx, named)
	}
	all, err := c.ListDatastores(ctx)
	if err != nil {
		return client.Datastore{}, err
	}
	var found []client.Datastore
	for _, d := range all {
		if d.DatastoreStatus != "DELETED" && (named == "" && d.DatastoreStatus == "ACTIVE" || named != "" && d.DatastoreName == named) {
			found = append(found, d)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], nil
	case len(found) == 0 && named == "":
		return client.Datastore{}, fault.WithHint(fault.Errorf(fault.NotFound, "", "There is no active data store."), "Make one with: tarn datastore create NAME")
	case len(found) == 0:
		return client.Datastore{}, fault.WithHint(fault.Errorf(fault.NotFound, "", "There is no data store %q.", named),
			"tarn datastore list shows what there is; tarn datastore create %s makes it.", quote(named))
	}
	var ids []string
	for _, d := range found {
		ids = append(ids, d.DatastoreId+" ("+d.DatastoreName+")")
	}
	what := "There are several active data stores"
	if named != "" {
		what = "Several data stores are named " + named
	}
	return client.Datastore{}, usagef("Say which with --datastore ID.", "%s: %s.", what, strings.Join(ids, ", "))
}

// isID reports whether a word has the form of the id of a data store or a job.
func isID(word string) bool {
	return len(word) == 32 && strings.Trim(word, "0123456789abcdef") == ""
}
