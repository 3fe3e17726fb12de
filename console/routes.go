package console

import "net/http"

// route is one address of the console.
type route struct {
	pattern string // of http.ServeMux
	open    bool   // for people who are not signed in, too
	handle  func(*Console, *visit) error
}

// elsewhere is what no other route has.
const elsewhere = "/console/"

// routes is the table of all addresses; testdata/routes.golden shows it.
var routes = [...]route{
	{"GET /console/{$}", false, (*Console).home},
	{"GET /console/assets/{name}", true, (*Console).asset},
	{"GET /console/signin", true, (*Console).signInPage},
	{"POST /console/signin", true, (*Console).signIn},
	{"POST /console/signout", false, (*Console).signOut},
	{"GET /console/datastores", false, (*Console).listDatastores},
	{"GET /console/datastores/create", false, (*Console).createDatastorePage},
	{"POST /console/datastores/create", false, (*Console).createDatastore},
	{"GET /console/datastores/{id}", false, (*Console).datastorePage},
	{"GET /console/datastores/{id}/delete", false, (*Console).deleteDatastorePage},
	{"POST /console/datastores/{id}/delete", false, (*Console).deleteDatastore},
	{"GET /console/export", false, (*Console).exportPage},
	{"POST /console/export", false, (*Console).export},
	{"POST /console/export/policies", false, (*Console).previewPolicies},
	{"GET /console/jobs", false, (*Console).listJobs},
	{"GET /console/datastores/{id}/export/{job}", false, (*Console).exportJobPage},
	{"POST /console/datastores/{id}/export/{job}/cancel", false, (*Console).cancelExport},
	{"GET /console/datastores/{id}/import/{job}", false, (*Console).importJobPage},
	{"POST /console/datastores/{id}/import/{job}/cancel", false, (*Console).cancelImport},
	{elsewhere, false, (*Console).notHere},
}

// home leads to the data stores.
func (c *Console) home(v *visit) error { return v.redirect("/console/datastores") }

// notHere answers for addresses that are none.
func (c *Console) notHere(v *visit) error {
	return v.fail(http.StatusNotFound, Problem{Text: "There is no such page."})
}
