package profile

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path"
	"strings"

	"tarn/fault"
	"tarn/fhir"
)

// The bounds of a package. What is over them is fault.TooLarge.
const (
	MaxPacked   = 16 << 20  // bytes of the .tgz
	MaxUnpacked = 256 << 20 // bytes of all that is in it
	MaxKept     = 64 << 20  // bytes of its StructureDefinitions, ValueSets and CodeSystems
	MaxFile     = 16 << 20  // bytes of one file
	MaxFiles    = 20_000
	maxElements = 300_000 // ElementDefinitions of all profiles
	maxCodes    = 2_000_000
)

// Package is a FHIR package (https://hl7.org/fhir/packages.html) as read: the profiles, extension definitions, value sets
// and code systems in it, not yet compiled. It is immutable.
type Package struct {
	Name         string
	Version      string
	Title        string
	Canonical    string
	FHIRVersions []string
	Definitions  []Definition // profiles and extensions, in the order of the files
	ValueSets    int
	CodeSystems  int
	Size         int // bytes of all these

	profiles []*definition
	sets     []*setDefinition
	systems  []*codeSystem
}

// Definition names one profile of a package.
type Definition struct {
	URL, Version, Name, Type string
	Note                     string // why it will not be checked; empty where it will
}

// reader takes a package in.
type reader struct {
	p        *Package
	parser   *fhir.Parser
	named    bool // package.json was there
	kept     int
	elements int
	codes    int
}

// Read reads a package: gzip, tar, the files package/*.json. It holds one file at a time. What is no package, or breaks
// a bound, is refused as fault.Invalid or fault.TooLarge. Profiles of another FHIR version than 4.0 and resources that
// are no definitions are passed over.
func Read(from io.Reader) (*Package, error) {
	const op = "profile.Read"
	packed := &counted{r: from, left: MaxPacked, what: "packed"}
	unzipped, err := gzip.NewReader(packed)
	if err != nil {
		return nil, refuse(op, err, "it is not compressed by gzip")
	}
	unpacked := &counted{r: unzipped, left: MaxUnpacked, what: "unpacked"}
	files := tar.NewReader(unpacked)
	in := &reader{p: &Package{}, parser: fhir.NewParser(fhir.Limits{MaxBytes: MaxFile})}
	var text []byte
	for n := 0; ; n++ {
		header, err := files.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, refuse(op, err, "it is no tar archive")
		}
		if n == MaxFiles {
			return nil, fault.Errorf(fault.TooLarge, op, "A package has at most %d files.", MaxFiles)
		}
		folder, file := path.Split(strings.TrimPrefix(path.Clean(header.Name), "./"))
		if header.Typeflag != tar.TypeReg || folder != "package/" || !strings.HasSuffix(file, ".json") || strings.HasPrefix(file, ".") {
			continue
		}
		if header.Size > MaxFile {
			return nil, fault.Errorf(fault.TooLarge, op, "A file of a package has at most %d bytes.", MaxFile)
		}
		if text, err = readAll(files, text[:0], int(header.Size)); err != nil {
			return nil, refuse(op, err, "it breaks off")
		}
		if err := in.file(file, text); err != nil {
			return nil, err
		}
	}
	if !in.named {
		return nil, fault.WithHint(fault.Errorf(fault.Invalid, op, "This is no FHIR package: it has no file package/package.json."),
			"A package is the .tgz that packages.fhir.org and every implementation guide (package.tgz) give out.")
	}
	in.p.Size = in.kept
	return in.p, nil
}

func readAll(from io.Reader, into []byte, size int) ([]byte, error) {
	if cap(into) < size {
		into = make([]byte, 0, size)
	}
	into = into[:size]
	_, err := io.ReadFull(from, into)
	return into, err
}

// refuse tells why a package cannot be read; a bound that was reached says so itself.
func refuse(op string, err error, why string) error {
	var known *fault.Error
	if errors.As(err, &known) {
		return fault.Wrap(op, err)
	}
	return fault.WithHint(fault.Errorf(fault.Invalid, op, "This is no FHIR package: %s.", why), "A package is a .tgz file with package/package.json in it.")
}

// counted refuses to read more than it was allowed.
type counted struct {
	r    io.Reader
	left int
	what string
}

func (c *counted) Read(p []byte) (int, error) {
	if c.left <= 0 {
		limit := MaxPacked
		if c.what == "unpacked" {
			limit = MaxUnpacked
		}
		return 0, fault.Errorf(fault.TooLarge, "profile.Read", "The package is over the limit of %d bytes %s.", limit, c.what)
	}
	if len(p) > c.left {
		p = p[:c.left]
	}
	n, err := c.r.Read(p)
	c.left -= n
	return n, err
}

// file takes one file in.
func (in *reader) file(name string, text []byte) error {
	const op = "profile.Read"
	doc, err := in.parser.Scan(text)
	if err != nil {
		if name == "package.json" {
			return fault.Errorf(fault.Invalid, op, "The file package.json of the package is no JSON.")
		}
		return nil // what a guide carries along need not be for us
	}
	root := doc.Root()
	if name == "package.json" {
		return in.manifest(root)
	}
	kind := root.Member("resourceType")
	if !kind.Is("StructureDefinition") && !kind.Is("ValueSet") && !kind.Is("CodeSystem") {
		return nil
	}
	if in.kept += len(doc.Bytes()); in.kept > MaxKept {
		return fault.Errorf(fault.TooLarge, op, "The definitions of a package have at most %d bytes.", MaxKept)
	}
	switch {
	case kind.Is("StructureDefinition"):
		d := readDefinition(root)
		if d == nil {
			return nil
		}
		if in.elements += len(d.snapshot) + len(d.differential); in.elements > maxElements {
			return fault.Errorf(fault.TooLarge, op, "The profiles of a package have at most %d elements.", maxElements)
		}
		in.p.profiles = append(in.p.profiles, d)
		in.p.Definitions = append(in.p.Definitions, Definition{URL: d.url, Version: d.version, Name: d.name, Type: d.typ, Note: d.flaw})
	case kind.Is("ValueSet"):
		if v := readValueSet(root, &in.codes); v != nil {
			in.p.sets = append(in.p.sets, v)
			in.p.ValueSets++
		}
	default:
		if s := readCodeSystem(root, &in.codes); s != nil {
			in.p.systems = append(in.p.systems, s)
			in.p.CodeSystems++
		}
	}
	if in.codes > maxCodes {
		return fault.Errorf(fault.TooLarge, op, "The value sets and code systems of a package have at most %d codes.", maxCodes)
	}
	return nil
}

// manifest reads package.json.
func (in *reader) manifest(root fhir.Node) error {
	p := in.p
	p.Name, p.Version = text(root.Member("name")), text(root.Member("version"))
	p.Title, p.Canonical = text(root.Member("title")), text(root.Member("canonical"))
	for _, member := range []string{"fhirVersions", "fhir-version-list"} {
		for n := range root.Member(member).Children() {
			if n.Kind() == fhir.String && len(p.FHIRVersions) < 10 {
				p.FHIRVersions = append(p.FHIRVersions, text(n))
			}
		}
	}
	if !validName(p.Name) || !validName(p.Version) {
		return fault.Errorf(fault.Invalid, "profile.Read", "The file package.json must give a name and a version of 1 to 128 characters out of A-Z, a-z, 0-9, '.', '_' and '-'.")
	}
	fits := len(p.FHIRVersions) == 0
	for _, v := range p.FHIRVersions {
		fits = fits || isR4(v)
	}
	if !fits {
		return fault.Errorf(fault.Invalid, "profile.Read", "The package is for FHIR %s, this server has FHIR 4.0.1.", clip(strings.Join(p.FHIRVersions, ", ")))
	}
	in.named = true
	return nil
}

// ValidName reports whether s can be the name, or the version, of a package.
func ValidName(s string) bool { return validName(s) }

func validName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || c == '.' || c == '_' || c == '-') {
			return false
		}
	}
	return len(s) > 0 && len(s) <= 128 && s[0] != '.'
}

func isR4(version string) bool { return version == "4.0" || strings.HasPrefix(version, "4.0.") }

// text is the string at n, or empty.
func text(n fhir.Node) string {
	if n.Kind() != fhir.String {
		return ""
	}
	return string(n.AppendText(nil))
}

func clip(s string) string {
	if len(s) > 200 {
		return fmt.Sprintf("%s...", strings.ToValidUTF8(s[:200], ""))
	}
	return s
}
