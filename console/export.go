package console

import (
	"cmp"
	"net/http"
	"regexp"
	"strings"

	"tarn/api/client"
)

type exportData struct {
	Form     exportForm
	Choices  choices
	Policies policies
	Notes    []note
	Made     []string // things that were made on the way, although the export did not start
	Ready    bool     // checked, and nothing stands in the way
	Plan     []string // what will be made, where it was checked before anything is there
	Problem  *Problem
	Look     bool // the policies have changed since they were shown
}

// Of is the notes about one field.
func (d exportData) Of(field string) (of []note) {
	for _, n := range d.Notes {
		if n.Field == field {
			of = append(of, n)
		}
	}
	return of
}

// exportPage shows the form: empty, or filled in as an earlier job was.
func (c *Console) exportPage(v *visit) error {
	q := v.r.URL.Query()
	f := exportForm{Datastore: q.Get("datastore"), Nonce: nonce()}
	d := exportData{}
	if from := q.Get("from"); from != "" && f.Datastore != "" {
		j, err := v.s.api.DescribeExport(v.r.Context(), f.Datastore, from)
		if err != nil {
			return err
		}
		f = again(f, j)
	}
	var err error
	if d.Choices, err = choicesOf(v.r.Context(), v.s.api); err != nil {
		return err
	}
	d.Form = suggest(f, d.Choices)
	return c.showExport(v, http.StatusOK, d)
}

var jobFolder = regexp.MustCompile(`[0-9a-f]{32}-FHIR_EXPORT-[0-9a-f]{32}/?$`)

// again fills the form in as it was for a job.
func again(f exportForm, j client.ExportJob) exportForm {
	to := j.OutputDataConfig.S3Configuration
	bucket, prefix := splitURI(to.S3Uri)
	f.Bucket = pick{Mode: existing, Chosen: bucket}
	f.Prefix = strings.Trim(jobFolder.ReplaceAllString(prefix, ""), "/")
	f.Key = pick{Mode: existing, Chosen: to.KmsKeyId}
	f.Role = pick{Mode: existing, Chosen: j.DataAccessRoleArn}
	f.JobName = j.JobName
	return f
}

// suggest fills in what a person has not: the only thing there is, or a name for a new one.
func suggest(f exportForm, c choices) exportForm {
	if f.Datastore == "" && len(c.Datastores.List) == 1 {
		f.Datastore = c.Datastores.List[0].Value
	}
	name := "exports"
	if f.Datastore != "" {
		name += "-" + short(f.Datastore)
	}
	fill := func(p *pick, there picker, name string) {
		p.Name = cmp.Or(p.Name, name)
		if p.Mode != "" {
			return
		}
		p.Mode = existing
		if len(there.List) == 0 && there.Problem == "" {
			p.Mode = fresh
		}
		if len(there.List) == 1 && p.Chosen == "" {
			p.Chosen = there.List[0].Value
		}
	}
	fill(&f.Bucket, c.Buckets, "tarn-"+name)
	fill(&f.Key, c.Keys, "tarn-"+name)
	fill(&f.Role, c.Roles, "TarnExport-"+cmp.Or(short(f.Datastore), "role"))
	return f
}

func (c *Console) showExport(v *visit, status int, d exportData) error {
	d.Choices.Datastores.keep(d.Form.Datastore)
	d.Choices.Buckets.keep(d.Form.Bucket.Chosen)
	d.Choices.Keys.keep(d.Form.Key.Chosen)
	d.Choices.Roles.keep(d.Form.Role.Chosen)
	d.Policies = policiesOf(d.Form, d.Choices, v.s.who.Account, c.o.Region)
	return v.show(status, "export", frame{Title: "Export", Nav: "export", Data: d})
}

// previewPolicies shows the two policies for the form as it stands, to our script; nothing is made.
func (c *Console) previewPolicies(v *visit) error {
	if !isFragment(v.r) {
		return v.redirect("/console/export")
	}
	var known choices
	var err error
	if _, known.arns, err = datastoreChoices(v.r.Context(), v.s.api); err != nil {
		return err
	}
	p := policiesOf(readExportForm(v.r.PostForm), known, v.s.who.Account, c.o.Region)
	return v.show(http.StatusOK, "export", frame{Data: p})
}

// export checks what a form asks for, or does it.
func (c *Console) export(v *visit) error {
	ctx := v.r.Context()
	d := exportData{Form: readExportForm(v.r.PostForm)}
	var err error
	if d.Choices, err = choicesOf(ctx, v.s.api); err != nil {
		return err
	}
	if d.Notes = d.Form.faults(); len(d.Notes) > 0 {
		return c.showExport(v, http.StatusUnprocessableEntity, d)
	}
	switch v.r.PostForm.Get("do") {
	case "export":
		return c.startExport(v, d)
	case "policies":
		return c.showExport(v, http.StatusOK, d)
	}
	return c.checkExport(v, d)
}

// checkExport says what would keep the export from starting. Nothing is made or started.
func (c *Console) checkExport(v *visit, d exportData) error {
	ctx, f := v.r.Context(), d.Form
	if f.Bucket.New() || f.Key.New() || f.Role.New() {
		d.Notes = taken(ctx, v.s.api, f)
		d.Plan = plan(f)
		return c.showExport(v, http.StatusOK, d)
	}
	findings, err := v.s.api.Preflight(ctx, f.request())
	if sessionOver(err) {
		return err
	}
	if err != nil {
		p := problemOf(err)
		d.Problem = &p
		return c.showExport(v, statusOf(err), d)
	}
	d.Notes = notesOf(findings)
	d.Ready = len(findings) == 0
	return c.showExport(v, http.StatusOK, d)
}

// plan is what the form will make, in sentences.
func plan(f exportForm) (steps []string) {
	if f.Key.New() {
		steps = append(steps, "The KMS key "+f.Key.Name+" will be created.")
	}
	if f.Bucket.New() {
		steps = append(steps, "The bucket "+f.Bucket.Name+" will be created, with Block Public Access on and the key as its default encryption.")
	}
	if f.Role.New() {
		steps = append(steps, "The IAM role "+f.Role.Name+" will be created with the two policies shown.")
	}
	return append(steps, "Then everything is checked, and the export starts.")
}

// startExport makes what has to be made, and starts the export.
func (c *Console) startExport(v *visit, d exportData) error {
	ctx := v.r.Context()
	if d.Form.Role.New() {
		if p := policiesOf(d.Form, d.Choices, v.s.who.Account, c.o.Region); p.Seen != d.Form.Seen {
			d.Look = true
			return c.showExport(v, http.StatusOK, d)
		}
	}
	var field string
	var err error
	if d.Notes = taken(ctx, v.s.api, d.Form); len(d.Notes) > 0 {
		return c.showExport(v, http.StatusConflict, d)
	}
	d.Made, field, err = provision(ctx, v.s.api, &d.Form, v.s.who.Account, d.Choices.arn(d.Form.Datastore, v.s.who.Account, c.o.Region))
	if err != nil {
		d.Notes = []note{noteOf(field, err)}
		return c.showExport(v, statusOf(err), d)
	}
	id, err := v.s.api.StartExport(ctx, d.Form.request())
	if err == nil {
		return v.redirect(jobPath(d.Form.Datastore, "export", id) + "?started=1")
	}
	if sessionOver(err) {
		return err
	}
	// The refusal is one long sentence; asked again, the server tells its findings one by one.
	if findings, again := v.s.api.Preflight(ctx, d.Form.request()); again == nil && len(findings) > 0 {
		d.Notes = notesOf(findings)
	} else {
		p := problemOf(err)
		d.Problem = &p
	}
	return c.showExport(v, statusOf(err), d)
}
