package main

import (
	"bufio"
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"tarn/api/client"
	"tarn/export"
)

// prove reads the export back and holds it against its manifest and the data store.
func (d *demo) prove(ctx context.Context) error {
	report, _, _, err := prove(ctx, d.s, d.api, exportOf(d.job), false)
	if err != nil {
		return err
	}
	if len(report.Problems) > 0 {
		for _, p := range report.Problems {
			d.s.note("%s: %s", p.Name, p.Text)
		}
		d.s.say("%s", verdict(report))
		return errReported
	}
	d.done("proof", "%s, file by file, against the data store", verdict(report))
	return nil
}

// show prints where the files lie and one line of them.
func (d *demo) show(ctx context.Context) (err error) {
	bucket, prefix, err := export.ParseS3Uri(d.job.Folder)
	if err != nil {
		return err
	}
	folder := client.Folder{Client: d.api, Bucket: bucket, Prefix: prefix}
	m, err := readManifest(ctx, folder)
	if err != nil || len(m.Output) == 0 {
		return err
	}
	file := m.Output[0].Name
	for _, f := range m.Output {
		if f.Type == "Patient" {
			file = f.Name
			break
		}
	}
	r, err := folder.Open(ctx, file)
	if err != nil {
		return err
	}
	line, err := bufio.NewReaderSize(r, 1<<10).ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		err = nil // a beginning is enough
	}
	if err = errors.Join(err, r.Close()); err != nil {
		return err
	}
	d.console = d.consoleAnswers(ctx)
	d.s.say("\nThe files lie in %s, encrypted under your key:\n", filepath.Join(d.shown(d.DataDir), "cloud"))
	d.s.say("  %s\n  %s", d.job.Folder, file)
	d.s.say("  %s", d.s.faint(cut(string(line), 100)))
	return nil
}

// consoleAnswers reports whether the server has a web console to be shown.
func (d *demo) consoleAnswers(ctx context.Context) bool {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, d.api.Endpoint()+"/console/", nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// next prints commands to go on with. They work as they are in a fresh shell.
func (d *demo) next() {
	program, cd := self()
	dir := d.shown(d.DataDir)
	url := d.api.Endpoint()
	if cd != "" {
		cd = "  cd " + quote(cd) + "\n"
	}
	d.s.say("\n%s", d.s.head("What to try next"))
	if !d.running && !d.Keep {
		d.s.say("\nStart the server again (the demo has stopped its own):\n\n%s  %s serve --data-dir %s%s", cd, program, quote(dir), d.serveFlags(url))
		d.s.say("\nand then, in another terminal:\n")
	} else {
		d.s.say("\nIn another terminal:\n")
	}
	d.s.say("%s  export AWS_CONFIG_FILE=%s AWS_SHARED_CREDENTIALS_FILE=%s AWS_PROFILE=tarn", cd,
		quote(filepath.Join(dir, "aws", "config")), quote(filepath.Join(dir, "aws", "credentials")))
	d.s.say("  aws s3 ls s3://%s/ --recursive --endpoint-url %s", d.to.Bucket, url)
	d.s.say("  aws healthlake list-fhir-export-jobs --datastore-id %s --endpoint-url %s", d.store.DatastoreId, url)
	d.s.say("  %s verify %s --data-dir %s --datastore %s", program, d.job.JobID, quote(dir), d.store.DatastoreId)
	if d.console {
		d.s.say("  curl -sL %s/console/ -o /dev/null -w '%%{http_code} %%{url_effective}\\n'   # or in a browser, with the key of %s", url, filepath.Join(dir, "aws", "credentials"))
	}
}

// serveFlags are the flags that a server needs to be like this one.
func (d *demo) serveFlags(url string) string {
	var b strings.Builder
	_, address, _ := strings.Cut(url, "://")
	for _, f := range []struct{ name, value, usual string }{
		{"listen", address, defaultListen}, {"public-url", d.PublicURL, ""}, {"account", d.Account, defaultAccount}, {"region", d.Region, defaultRegion},
		{"database-url", d.DatabaseURL, ""}, {"master-key-file", d.MasterKeyFile, ""},
	} {
		if f.value != f.usual {
			b.WriteString(" --" + f.name + " " + quote(f.value))
		}
	}
	return b.String()
}

// shown is a path as the printed commands name it: from the working directory where they begin with changing to it.
func (d *demo) shown(path string) string {
	if _, cd := self(); cd != "" {
		if rel, err := filepath.Rel(cd, path); err == nil && !strings.HasPrefix(rel, "..") {
			return "./" + rel
		}
	}
	return path
}

// self is how this program is called from a fresh shell, and the directory to change to first, or empty.
func self() (program, cd string) {
	exe, err := os.Executable()
	if err != nil {
		return "tarn", ""
	}
	if strings.Contains(exe, string(filepath.Separator)+"go-build") {
		if wd, err := os.Getwd(); err == nil {
			return "go run ./cmd/tarn", wd
		}
	}
	if !strings.ContainsRune(os.Args[0], filepath.Separator) {
		return os.Args[0], "" // found by PATH
	}
	return quote(exe), ""
}
