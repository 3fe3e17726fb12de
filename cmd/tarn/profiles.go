package main

import (
	"context"
	"os"
	"strconv"
	"strings"

	"tarn/api/client"
)

type profilesCmd struct {
	List   profilesListCmd   `cmd:"" default:"withargs" help:"List the packages of profiles in a data store."`
	Add    profilesAddCmd    `cmd:"" help:"Put FHIR packages of profiles (US Core and the like) into a data store."`
	Remove profilesRemoveCmd `cmd:"" help:"Take a package of profiles out of a data store."`
}

type profilesListCmd struct {
	dataStore
	remote
}

// Run lists the packages.
func (c *profilesListCmd) Run(ctx context.Context, s *screen) error {
	api, err := c.connect()
	if err != nil {
		return err
	}
	d, err := c.find(ctx, api)
	if err != nil {
		return err
	}
	all, err := api.Profiles(ctx, d.DatastoreId)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.json(all)
	}
	if len(all) == 0 {
		s.note("There are no profiles in this data store. Put some in with: tarn profiles add PACKAGE.tgz%s", c.flags())
		return nil
	}
	var rows [][]string
	for _, p := range all {
		rows = append(rows, []string{p.Name, p.Version, strconv.Itoa(p.Profiles), strconv.Itoa(p.Extensions), strconv.Itoa(len(p.NotChecked)), strings.Replace(strings.TrimSuffix(p.Installed, "Z"), "T", " ", 1)})
	}
	s.table([]string{"name", "version", "profiles", "extensions", "not checked", "installed (UTC)"}, rows)
	return nil
}

type profilesAddCmd struct {
	Packages []string `arg:"" name:"package" help:"Files: PACKAGE.tgz."`
	dataStore
	remote
}

// Run installs the packages in their order.
func (c *profilesAddCmd) Run(ctx context.Context, s *screen) error {
	var archives [][]byte
	for _, file := range c.Packages {
		archive, err := os.ReadFile(file)
		if err != nil {
			return usagef("A package is a file like hl7.fhir.us.core.tgz.", "The package cannot be read: %v.", err)
		}
		archives = append(archives, archive)
	}
	api, err := c.connect()
	if err != nil {
		return err
	}
	d, err := c.find(ctx, api)
	if err != nil {
		return err
	}
	added := []client.ProfilePackage{}
	for _, archive := range archives {
		p, err := api.InstallProfiles(ctx, d.DatastoreId, archive)
		if err != nil {
			return err
		}
		added = append(added, p)
		if c.JSON {
			continue
		}
		s.say("Installed %s %s: %d profiles, %d extensions, %d value sets, %d code systems", p.Name, p.Version, p.Profiles, p.Extensions, p.ValueSets, p.CodeSystems)
		for i, n := range p.NotChecked {
			if i == maxShown {
				s.note("  ... and %d more; --json shows all.", len(p.NotChecked)-i)
				break
			}
			s.note("Not checked: %s: %s.", n.URL, n.Why)
		}
	}
	if c.JSON {
		return s.json(added)
	}
	return nil
}

type profilesRemoveCmd struct {
	Name string `arg:"" help:"Name of the package, or NAME@VERSION for one version of several."`
	dataStore
	remote
}

// Run removes a package.
func (c *profilesRemoveCmd) Run(ctx context.Context, s *screen) error {
	name, version, named := strings.Cut(c.Name, "@")
	if name == "" || named && version == "" || strings.Contains(c.Name, "/") {
		return usagef("tarn profiles remove hl7.fhir.us.core", "%q is no name of a package.", c.Name)
	}
	api, err := c.connect()
	if err != nil {
		return err
	}
	d, err := c.find(ctx, api)
	if err != nil {
		return err
	}
	gone, err := api.RemoveProfiles(ctx, d.DatastoreId, name, version)
	if err != nil {
		return err
	}
	if c.JSON {
		return s.json(gone)
	}
	for _, p := range gone {
		s.say("Removed %s %s", p.Name, p.Version)
	}
	return nil
}
