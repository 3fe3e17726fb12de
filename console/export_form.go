package console

import (
	"net/url"
	"regexp"
	"strings"

	"tarn/api/client"
)

// The two ways in which a form names a thing.
const (
	existing = "existing" // one that is there
	fresh    = "new"      // one that the form makes
)

// pick is one thing that an export needs: one of those that are there, or a new one.
type pick struct {
	Mode   string // existing or fresh
	Chosen string // of existing: a bucket's name, the ARN of a key or a role
	Name   string // of fresh
}

// New reports whether the thing is to be made.
func (p pick) New() bool { return p.Mode == fresh }

// exportForm is what a person filled in.
type exportForm struct {
	Datastore         string
	Bucket, Key, Role pick
	Prefix            string
	JobName           string
	Nonce             string // makes a form that is sent twice one job
	Seen              string // fingerprint of the policies that were shown
}

func readExportForm(f url.Values) exportForm {
	get := func(name string) string { return strings.TrimSpace(f.Get(name)) }
	one := func(name string) pick {
		p := pick{Mode: get(name + "-mode"), Chosen: get(name), Name: get(name + "-name")}
		if p.Mode != fresh {
			p.Mode = existing
		}
		return p
	}
	return exportForm{Datastore: get("datastore"), Bucket: one("bucket"), Key: one("key"), Role: one("role"),
		Prefix: get("prefix"), JobName: get("job-name"), Nonce: get("nonce"), Seen: get("seen")}
}

// uri is the output location.
func (f exportForm) uri() string {
	uri := "s3://" + f.Bucket.Chosen + "/"
	if prefix := strings.Trim(f.Prefix, "/"); prefix != "" {
		uri += prefix + "/"
	}
	return uri
}

// request is the call that the form stands for. All things must be there.
func (f exportForm) request() client.ExportRequest {
	return client.ExportRequest{DatastoreId: f.Datastore, DataAccessRoleArn: f.Role.Chosen, JobName: f.JobName,
		OutputDataConfig: client.OutputDataConfig{S3Configuration: client.S3Configuration{S3Uri: f.uri(), KmsKeyId: f.Key.Chosen}},
		ClientToken:      clientToken(f.Nonce, f.Datastore, f.uri(), f.Key.Chosen, f.Role.Chosen, f.JobName)}
}

var (
	bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	aliasName  = regexp.MustCompile(`^[a-zA-Z0-9/_-]{1,200}$`)
	roleName   = regexp.MustCompile(`^[a-zA-Z0-9+=,.@_-]{1,57}$`) // with room for the policy's ending
	jobName    = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-%@]{0,64}$`)
	folderName = regexp.MustCompile(`^[\p{L}\p{N}!_.*'()/=@:+, -]{0,512}$`)
)

// faults are what a form gets told that leaves something out or names what cannot be.
func (f exportForm) faults() (notes []note) {
	wrong := func(field, text string) { notes = append(notes, note{Field: field, Problem: text}) }
	if f.Datastore == "" {
		wrong("datastore", "Choose the data store to export.")
	}
	switch {
	case f.Bucket.New() && !bucketName.MatchString(f.Bucket.Name):
		wrong("bucket", "A bucket's name has 3 to 63 lower-case letters, digits, dots and hyphens, and begins and ends with a letter or digit.")
	case !f.Bucket.New() && !bucketName.MatchString(f.Bucket.Chosen):
		wrong("bucket", "Choose a bucket, or create one.")
	}
	if !folderName.MatchString(f.Prefix) {
		wrong("bucket", "The folder holds characters that cannot stand in an S3 URI, or is over 512 characters long.")
	}
	switch {
	case f.Key.New() && !aliasName.MatchString(f.Key.Name):
		wrong("key", "A key's alias has up to 200 letters, digits, slashes, underscores and hyphens.")
	case f.Key.New() && strings.HasPrefix(f.Key.Name, "aws/"):
		wrong("key", "Aliases that begin with aws/ are reserved.")
	case !f.Key.New() && f.Key.Chosen == "":
		wrong("key", "Choose a KMS key, or create one.")
	}
	switch {
	case f.Role.New() && !roleName.MatchString(f.Role.Name):
		wrong("role", "A role's name has up to 57 letters, digits and any of + = , . @ _ -")
	case !f.Role.New() && !strings.HasPrefix(f.Role.Chosen, "arn:"):
		wrong("role", "Choose an IAM role, or create one.")
	}
	if !jobName.MatchString(f.JobName) {
		wrong("job", "A job's name has up to 64 letters, digits, spaces and any of _ . : / = + - % @")
	}
	return notes
}

// fingerprint tells one set of policies from another.
func fingerprint(texts ...string) string { return clientToken("policies", texts...) }

// note is something about one field of the form: a slip of the pen, or a finding of the server.
type note struct {
	Field    string // datastore, bucket, key, role, job, or else about the whole
	Problem  string // a sentence
	Remedy   string // a sentence, or empty
	Setting  string // the permission or setting concerned, or empty
	Resource string // its ARN, or empty
}

// notesOf are findings as notes.
func notesOf(findings []client.Finding) []note {
	return each(findings, func(f client.Finding) note {
		n := note{f.Field, f.Problem, f.Remedy, f.Setting, f.Resource}
		switch n.Field {
		case "datastore", "bucket", "key", "role":
		default:
			n.Field = "whole"
		}
		return n
	})
}
