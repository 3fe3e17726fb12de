package main

import (
	"context"
	"slices"
	"time"

	"tarn/api/client"
	"tarn/fault"
)

type datastoreCmd struct {
	List   datastoreListCmd   `cmd:"" default:"withargs" help:"List the data stores."`
	Create datastoreCreateCmd `cmd:"" help:"Make a data store and wait until it is active."`
	Delete datastoreDeleteCmd `cmd:"" help:"Delete a data store and everything in it."`
}

type datastoreListCmd struct {
	All bool `help:"Show deleted ones too."`
	remote
}

// Run lists the data stores.
func (c *datastoreListCmd) Run(ctx context.Context, s *screen) error {
	api, err := c.connect()
	if err != nil {
		return err
	}
	all, err := api.ListDatastores(ctx)
	if err != nil {
		return err
	}
	if !c.All {
		all = slices.DeleteFunc(all, func(d client.Datastore) bool { return d.DatastoreStatus == "DELETED" })
	}
	if c.JSON {
		if all == nil {
			all = []client.Datastore{}
		}
		return s.json(all)
	}
	if len(all) == 0 {
		s.note("There is no data store yet. Make one with: tarn datastore create NAME%s", c.flags())
		return nil
	}
	var rows [][]string
	for _, d := range all {
		rows = append(rows, []string{d.DatastoreId, d.DatastoreName, d.DatastoreStatus, clock(d.CreatedAt.Time())})
	}
	s.table([]string{"id", "name", "status", "created (UTC)"}, rows)
	return nil
}

type datastoreCreateCmd struct {
	Name    string `arg:"" help:"Its name."`
	Preload bool   `help:"Fill it with an invented sample population (PreloadDataConfig SYNTHEA)."`
	remote
}

// Run creates a data store.
func (c *datastoreCreateCmd) Run(ctx context.Context, s *screen) error {
	api, err := c.connect()
	if err != nil {
		return err
	}
	all, err := api.ListDatastores(ctx)
	if err != nil && !fault.Is(err, fault.Denied) { // whoever may not list may still create
		return err
	}
	for _, d := range all {
		if d.DatastoreName == c.Name && d.DatastoreStatus != "DELETED" && d.DatastoreStatus != "DELETING" {
			return fault.WithHint(fault.Errorf(fault.Exists, "", "There is a data store %s already: %s.", c.Name, d.DatastoreId),
				"Choose another name: two of one name could only be told apart by their ids.")
		}
	}
	d, err := createDatastore(ctx, s, api, c.Name, c.Preload)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.json(d)
	}
	s.say("%s  %s  %s", d.DatastoreId, d.DatastoreName, d.DatastoreEndpoint)
	return nil
}

// createDatastore makes a data store and waits until it is active.
func createDatastore(ctx context.Context, s *screen, api *client.Client, name string, preload bool) (client.Datastore, error) {
	d, err := api.CreateDatastore(ctx, name, preload)
	if err != nil {
		return d, err
	}
	b := s.newBar("Creating "+name, 0, unitThings)
	defer b.end()
	for id, pause := d.DatastoreId, newPause(); ; {
		if d, err = api.DescribeDatastore(ctx, id); err != nil {
			return d, err
		}
		switch d.DatastoreStatus {
		case "ACTIVE":
			return d, nil
		case "CREATING":
		default:
			why := ""
			if d.ErrorCause != nil {
				why = ": " + d.ErrorCause.ErrorMessage
			}
			return d, fault.Errorf(fault.Conflict, "", "The data store %s is %s%s", id, d.DatastoreStatus, why)
		}
		if err := pause.wait(ctx); err != nil {
			return d, err
		}
	}
}

type datastoreDeleteCmd struct {
	Datastore string `arg:"" help:"The data store, by id or name."`
	Yes       bool   `help:"Do not ask."`
	remote
}

// Run deletes a data store.
func (c *datastoreDeleteCmd) Run(ctx context.Context, s *screen) error {
	api, err := c.connect()
	if err != nil {
		return err
	}
	d, err := findDatastore(ctx, api, c.Datastore)
	if err != nil {
		return err
	}
	if !c.Yes {
		return usagef("Repeat the command with --yes if you mean it.", "This deletes the data store %s (%s) and everything in it, for good.", d.DatastoreName, d.DatastoreId)
	}
	if err := api.HealthLake(ctx, "DeleteFHIRDatastore", map[string]string{"DatastoreId": d.DatastoreId}, nil); err != nil {
		return err
	}
	if c.JSON {
		d, err := api.DescribeDatastore(ctx, d.DatastoreId)
		if err != nil {
			return err
		}
		return s.json(d)
	}
	s.say("The data store %s (%s) is being deleted.", d.DatastoreName, d.DatastoreId)
	return nil
}

// pause waits between two looks at something that changes: briefly at first, longer later.
type pause struct{ next time.Duration }

func newPause() *pause { return &pause{50 * time.Millisecond} }

func (p *pause) wait(ctx context.Context) error {
	timer := time.NewTimer(p.next)
	defer timer.Stop()
	p.next = min(p.next*5/4, time.Second)
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-timer.C:
		return nil
	}
}
