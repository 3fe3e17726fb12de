package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/alecthomas/kong"
	"gopkg.in/yaml.v3"

	"tarn/fault"
)

// configFile resolves flags from a YAML file whose keys are the flags' names.
type configFile map[string]yaml.Node

// readConfig reads the file of --config.
func readConfig(r io.Reader) (kong.Resolver, error) {
	var c configFile
	if err := yaml.NewDecoder(r).Decode(&c); err != nil && !errors.Is(err, io.EOF) {
		return nil, fault.WithHint(fault.Errorf(fault.Invalid, "", "The configuration file is no YAML mapping: %v.", err),
			"It has lines such as 'data-dir: /srv/tarn'.")
	}
	for key, value := range c {
		if value.Kind == yaml.AliasNode {
			c[key] = *value.Alias
		}
	}
	return c, nil
}

// Validate refuses keys that no flag bears, since they are mistakes that would pass unseen.
func (c configFile) Validate(app *kong.Application) error {
	known := map[string]bool{}
	var gather func(n *kong.Node)
	gather = func(n *kong.Node) {
		for _, f := range n.Flags {
			known[f.Name] = true
		}
		for _, child := range n.Children {
			gather(child)
		}
	}
	gather(app.Node)
	for key, value := range c {
		if strings.Contains(key, "passphrase") {
			return fault.WithHint(fault.Errorf(fault.Invalid, "", "A passphrase does not belong into a file (line %d).", value.Line), "Set TARN_MASTER_PASSPHRASE, or use master-key-file.")
		}
		if !known[flagName(key)] {
			return fault.WithHint(fault.Errorf(fault.Invalid, "", "The configuration file has an unknown key %q (line %d).", key, value.Line), "Its keys are the names of flags; tarn serve --help lists them.")
		}
		if value.Kind == yaml.MappingNode {
			return fault.Errorf(fault.Invalid, "", "The key %q of the configuration file (line %d) takes a plain value.", key, value.Line)
		}
	}
	return nil
}

// Resolve is the file's value of a flag that neither the command line nor the environment sets.
func (c configFile) Resolve(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
	for _, env := range flag.Envs {
		if _, set := os.LookupEnv(env); set {
			return nil, nil
		}
	}
	for key, value := range c {
		if flagName(key) != flag.Name {
			continue
		}
		if value.Kind == yaml.SequenceNode {
			var list []string
			if err := value.Decode(&list); err != nil {
				return nil, fmt.Errorf("line %d of the configuration file: %w", value.Line, err)
			}
			return strings.Join(list, ","), nil
		}
		return value.Value, nil
	}
	return nil, nil
}

func flagName(key string) string { return strings.ReplaceAll(key, "_", "-") }
