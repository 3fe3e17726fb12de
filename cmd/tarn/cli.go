package main

import (
	"os"
	"runtime/debug"

	"github.com/alecthomas/kong"

	"tarn/fault"
)

// version is set by the linker in releases.
var version = "dev"

// cli is everything that the command line takes. Every flag has a variable TARN_FLAG and a key in the file of --config.
type cli struct {
	Config  kong.ConfigFlag  `help:"Read flags from a YAML file: 'data-dir: /srv/tarn', one a line. Flags and TARN_* variables go before it. (TARN_CONFIG)" placeholder:"FILE" env:"-"`
	Version kong.VersionFlag `help:"Print the version." env:"-"`

	Demo  demoCmd  `cmd:"" help:"The whole trip in one command: population, export, proof. Start here."`
	Serve serveCmd `cmd:"" help:"Run the server."`

	Datastore datastoreCmd `cmd:"" aliases:"datastores" help:"List, create and delete data stores." group:"Data"`
	Import    importCmd    `cmd:"" help:"Bring .ndjson files into a data store." group:"Data"`
	Profiles  profilesCmd  `cmd:"" help:"List, add and remove packages of profiles that resources are held against." group:"Data"`
	Fhir      fhirCmd      `cmd:"" name:"fhir" help:"Send one FHIR request, signed, and print the answer." group:"Data"`
	Search    searchCmd    `cmd:"" help:"Print what a search finds, or how it is answered." group:"Data"`
	Synth     synthCmd     `cmd:"" help:"Write an invented population as .ndjson files." group:"Data"`

	Export    exportCmd    `cmd:"" help:"Export a data store to a bucket." group:"Exports"`
	Preflight preflightCmd `cmd:"" help:"Say what would keep an export from starting, all at once." group:"Exports"`
	Jobs      jobsCmd      `cmd:"" help:"List, describe and watch exports and imports." group:"Exports"`
	Verify    verifyCmd    `cmd:"" help:"Prove an export against its manifest and the data store." group:"Exports"`
}

const description = "Tarn: a FHIR R4 data store of your own that speaks AWS HealthLake's API and gives your data back."

// newParser builds the parser of the command line.
func newParser() (*kong.Kong, error) {
	var files []string
	if file := os.Getenv("TARN_CONFIG"); file != "" {
		if _, err := os.Stat(file); err != nil {
			return nil, &usageError{fault.WithHint(fault.Errorf(fault.Invalid, "", "The file of TARN_CONFIG cannot be read: %v.", err), "Correct the variable, or unset it.")}
		}
		files = append(files, file)
	}
	parser, err := kong.New(&cli{},
		kong.Name("tarn"),
		kong.Description(description),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, FlagsLast: true}),
		kong.DefaultEnvars("TARN"),
		kong.Vars{"version": versionLine()},
		kong.Configuration(readConfig, files...),
	)
	if err != nil {
		return nil, &usageError{err}
	}
	return parser, nil
}

// versionLine is the version, and the commit where the build knows it.
func versionLine() string {
	line := "tarn " + version
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" && len(s.Value) >= 12 {
				line += " (" + s.Value[:12] + ")"
			}
		}
	}
	return line
}
