package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/alecthomas/kong"

	"tarn/api/client"
	"tarn/fault"
)

// The exit codes; docs/cli.md lists them.
const (
	exitOK          = 0
	exitFailed      = 1   // the work failed, an export was refused, a verification found problems
	exitUsage       = 2   // the command line or a configuration file is wrong
	exitUnreachable = 3   // no server answers
	exitDenied      = 4   // the caller may not do this, or is not known
	exitInUse       = 5   // another process holds the data directory
	exitInterrupted = 130 // Ctrl-C
)

// usageError is a mistake in the command line.
type usageError struct{ error }

func (e *usageError) Unwrap() error { return e.error }

// usagef is a mistake in the command line that only the command itself can see, with what to do instead.
func usagef(hint, format string, args ...any) error {
	return &usageError{fault.WithHint(fault.Errorf(fault.Invalid, "", format, args...), "%s", hint)}
}

// usageOf explains a mistake that the parser found.
func usageOf(e *kong.ParseError) error {
	if fault.Hint(e) != "" {
		return &usageError{e.Unwrap()}
	}
	text := strings.Replace(e.Error(), `expected string value but got "EOL" (<EOL>)`, "a value is missing", 1)
	if text != "" && !strings.HasSuffix(text, ".") {
		text = strings.ToUpper(text[:1]) + text[1:]
		if !strings.HasSuffix(text, "?") {
			text += "."
		}
	}
	command := "tarn"
	if e.Context != nil {
		if path := e.Context.Command(); path != "" {
			command += " " + strings.Fields(path)[0]
		}
	}
	return usagef(command+" --help", "%s", text)
}

// errReported ends a command that has printed what is wrong: only its exit code is left to be said.
var errReported = errors.New("reported")

// errInterrupted ends a command that was interrupted and has said what that means.
var errInterrupted = errors.New("interrupted")

// inUse marks an error of opening a data directory that another process holds.
type inUse struct{ error }

func (e *inUse) Unwrap() error { return e.error }

// failedLocally marks an error of this process, which says nothing about reaching a server.
type failedLocally struct{ error }

func (e *failedLocally) Unwrap() error { return e.error }

// exitCode is the one place where errors become exit codes.
func exitCode(err error) int {
	var usage *usageError
	var held *inUse
	var local *failedLocally
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, errInterrupted), errors.Is(err, context.Canceled):
		return exitInterrupted
	case errors.As(err, &usage):
		return exitUsage
	case errors.As(err, &held):
		return exitInUse
	case errors.As(err, &local), errors.Is(err, errReported):
		return exitFailed
	case fault.Is(err, fault.Unavailable):
		return exitUnreachable
	case fault.Is(err, fault.Denied), fault.Is(err, fault.Unauthentic):
		return exitDenied
	default:
		return exitFailed
	}
}

// fail prints an error, its advice below it, and gives the exit code. No error is 0.
func (s *screen) fail(err error) int {
	code := exitCode(err)
	switch {
	case err == nil, errors.Is(err, errReported), errors.Is(err, errInterrupted):
	case code == exitInterrupted:
		fmt.Fprintln(s.err, "tarn: interrupted")
	default:
		fmt.Fprintf(s.err, "%s %s\n", s.red("tarn:"), messageOf(err))
		if hint := hintOf(err); hint != "" {
			fmt.Fprintf(s.err, "%s %s\n", s.bold("hint:"), hint)
		}
	}
	return code
}

// messageOf is the sentence for people. Errors that are not ours come from this machine, so their text may be shown.
func messageOf(err error) string {
	text := fault.Message(err)
	var ours *fault.Error
	var local *failedLocally
	if !errors.As(err, &ours) || errors.As(err, &local) && ours.Kind == fault.Internal {
		text = err.Error()
	}
	text = capital(text)
	var answer *client.Error
	if errors.As(err, &answer) && answer.RequestID != "" {
		text += fmt.Sprintf(" (%s, request %s)", answer.Code, answer.RequestID)
	}
	return text
}

// capital begins a sentence with a capital letter, unless it begins with a name such as an ARN.
func capital(text string) string {
	word, _, _ := strings.Cut(text, " ")
	if strings.Trim(word, "abcdefghijklmnopqrstuvwxyz") != "" || text == "" {
		return text
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

func hintOf(err error) string {
	if hint := fault.Hint(err); hint != "" {
		return hint
	}
	var answer *client.Error
	if errors.As(err, &answer) {
		switch {
		case strings.Contains(answer.Message, "the region '"):
			return "Sign for the server's Region with --region, or leave the flag out: the profile has it."
		case strings.HasPrefix(answer.Message, "Signature expired"), strings.HasPrefix(answer.Message, "Signature not yet current"):
			return "" // the message speaks of the clock
		}
		switch answer.Code {
		case "UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId", "SignatureDoesNotMatch", "InvalidSignatureException", "security":
			return "These credentials are not of this server. Name its data directory with --data-dir, or another --profile."
		}
	}
	return ""
}
