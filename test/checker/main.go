// Command checker proves from outside that exports are complete: it writes to a data store, keeps a journal of every
// write that was acknowledged, and holds an export's files against that journal alone. It shares no code with the
// product and asks the data store nothing when it checks. See README.md for what such a journal can prove.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
)

// Exit codes.
const (
	exitProved  = 0
	exitWrong   = 1 // the export is not what the journal says
	exitUsage   = 2
	exitFailed  = 3 // it could not be read, or the load did not go through
	maxPrinted  = 20
	description = `usage: checker load  --endpoint URL --datastore ID --bucket B --role ARN --kms-key ARN --journal FILE --input DIR [--change 0.1] [--writers 8]
       checker check --endpoint URL --journal FILE --folder s3://BUCKET/.../ [--kms-key ARN]
Credentials and Region come from AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN and AWS_REGION.`
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// run carries out one command line and gives its exit code.
func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 0 {
		fmt.Fprintln(stderr, description)
		return exitUsage
	}
	mode := args[0]
	flags := flag.NewFlagSet(mode, flag.ContinueOnError)
	flags.SetOutput(stderr)
	var to target
	flags.StringVar(&to.endpoint, "endpoint", "", "base address of the server")
	flags.StringVar(&to.datastore, "datastore", "", "id of the data store")
	flags.StringVar(&to.bucket, "bucket", "", "bucket for input and output")
	flags.StringVar(&to.role, "role", "", "ARN of the data access role")
	flags.StringVar(&to.key, "kms-key", "", "ARN of the key that encrypts the files")
	journal := flags.String("journal", "", "file of acknowledged writes")
	folder := flags.String("folder", "", "folder of the export: s3://bucket/prefix/")
	var l load
	flags.StringVar(&l.dir, "input", "", "folder of .ndjson or .ndjson.gz files to import")
	flags.Float64Var(&l.change, "change", 0.1, "share of the resources that change while exports run")
	flags.IntVar(&l.writers, "writers", 8, "writers at once")
	if err := flags.Parse(args[1:]); err != nil {
		return exitUsage
	}
	var err error
	var report report
	switch {
	case *journal == "" || to.endpoint == "" || flags.NArg() > 0:
		err = errUsage
	case mode == "load" && l.dir != "" && to.datastore != "" && to.bucket != "" && to.role != "" && to.key != "":
		to.fromEnvironment()
		err = l.run(ctx, to, *journal, stdout)
	case mode == "check" && *folder != "":
		to.fromEnvironment()
		report, err = check(ctx, to, *journal, *folder)
		if err == nil {
			report.print(stdout)
		}
	default:
		err = errUsage
	}
	switch {
	case err == errUsage:
		fmt.Fprintln(stderr, description)
		return exitUsage
	case err != nil:
		fmt.Fprintf(stderr, "checker: %v\n", err)
		return exitFailed
	case report.problems > 0:
		return exitWrong
	}
	return exitProved
}
