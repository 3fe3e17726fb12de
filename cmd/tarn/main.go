// Command tarn runs a self-hosted FHIR R4 data store that speaks AWS HealthLake's API, and is its client on the command
// line. See docs/cli.md.
package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"

	"github.com/alecthomas/kong"
)

func main() { os.Exit(run(os.Args[1:])) }

// run carries out one command line and gives its exit code.
func run(args []string) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	s := newScreen()
	parser, err := newParser()
	if err != nil {
		return s.fail(err)
	}
	if len(args) == 0 {
		args = []string{"--help"}
	}
	cmd, err := parser.Parse(args)
	if err != nil {
		var parse *kong.ParseError
		if errors.As(err, &parse) {
			err = usageOf(parse)
		}
		return s.fail(err)
	}
	cmd.BindTo(ctx, (*context.Context)(nil))
	return s.fail(cmd.Run(s))
}
