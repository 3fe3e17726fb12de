package main

import (
	"context"
	"slices"
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
	c, err := client.New(cfg)
	if err != nil {
		return nil, usagef("--endpoint-url http://127.0.0.1:8080", "%s.", capital(fault.Message(err)))
	}
	return c, nil
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

// findFor is the data store that the flag names. Where it names none and several are active, it is the one that knows
// the job; job may be empty.
func (d *dataStore) findFor(ctx context.Context, c *client.Client, job string) (client.Datastore, error) {
	if d.Datastore != "" || job == "" {
		return d.find(ctx, c)
	}
	all, err := c.ListDatastores(ctx)
	if err != nil {
		return client.Datastore{}, err
	}
	all = slices.DeleteFunc(all, func(d client.Datastore) bool { return d.DatastoreStatus != "ACTIVE" })
	if len(all) < 2 {
		return d.find(ctx, c)
	}
	var denied error
	for _, one := range all {
		_, err := c.ExportProgress(ctx, one.DatastoreId, job)
		if fault.Is(err, fault.NotFound) {
			_, err = c.DescribeImport(ctx, one.DatastoreId, job)
		}
		switch {
		case err == nil:
			return one, nil
		case fault.Is(err, fault.Denied):
			denied = err
		case !fault.Is(err, fault.NotFound):
			return client.Datastore{}, err
		}
	}
	if denied != nil {
		return client.Datastore{}, denied
	}
	return client.Datastore{}, fault.WithHint(fault.Errorf(fault.NotFound, "", "There is no job %s in any active data store.", job), "tarn jobs list --datastore ID shows those of one.")
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
		id := d.DatastoreId
		if d.DatastoreName != "" {
			id += " (" + d.DatastoreName + ")"
		}
		ids = append(ids, id)
	}
	if named != "" {
		return client.Datastore{}, usagef("Give the id of the one that is meant, not its name.", "Several data stores are named %s: %s.", named, strings.Join(ids, ", "))
	}
	return client.Datastore{}, usagef("Say which with --datastore ID.", "There are several active data stores: %s.", strings.Join(ids, ", "))
}

// isID reports whether a word has the form of the id of a data store or a job.
func isID(word string) bool {
	return len(word) == 32 && strings.Trim(word, "0123456789abcdef") == ""
}
