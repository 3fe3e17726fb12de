package app

import (
	"net/http"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"tarn/api/bulk"
	"tarn/api/control"
	"tarn/api/edge"
	"tarn/api/localcloud"
	"tarn/api/rest"
	"tarn/console"
	"tarn/fhir"
	"tarn/search"
)

// openFaces builds the handler of everything that is served.
func (a *App) openFaces(tokenKey []byte) error {
	a.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	a.edge = edge.New(edge.Config{Directory: a.accounts, Account: a.cfg.Account, Region: a.cfg.Region, Log: a.cfg.Log,
		Registry: a.registry, TrustProxy: a.cfg.TrustProxy})
	healthlake, err := control.New(control.Config{Edge: a.edge, Datastores: a.catalog, Jobs: a.ledger, Exports: a.exports, Imports: a.imports, TokenKey: tokenKey})
	if err != nil {
		return err
	}
	searches, err := search.New(search.Options{Datastores: a.catalog, CursorKey: tokenKey, Time: a.cfg.SearchTime})
	if err != nil {
		return err
	}
	a.interactions.UseMatcher(searches)
	a.exports.UseQueries(searches)
	a.erasures.UseQueries(searches)
	resources := rest.New(rest.Options{Edge: a.edge, Datastores: a.catalog, Interactions: a.interactions, Packages: a.packages, Background: a.background, Searches: searches, Erasures: a.erasures,
		Beside:  bulk.Offer(),
		Version: a.cfg.Version, Started: fhir.InstantOf(time.Now())})
	exports := bulk.New(bulk.Options{Erasures: a.erasures, Edge: a.edge, Datastores: a.catalog, Exports: a.exports, Imports: a.imports})
	web, err := console.New(console.Options{Endpoint: a.url, Transport: inside{func() http.Handler { return a.handler }}, Region: a.cfg.Region,
		PublicURL: a.cfg.PublicURL, TrustProxy: a.cfg.TrustProxy})
	if err != nil {
		return err
	}
	a.handler = a.edge.Handler(edge.Faces{
		HealthLake: healthlake,
		KMS:        localcloud.NewKMS(a.cloud, a.edge),
		IAM:        localcloud.NewIAM(a.edge, a.accounts),
		STS:        localcloud.NewSTS(a.edge, a.accounts),
		S3:         localcloud.NewS3(a.cloud, a.edge),
		FHIR:       datastoreFaces(resources, exports),
		Console:    web,
		Ready:      a.ready.check,
		Metrics:    promhttp.HandlerFor(a.registry, promhttp.HandlerOpts{}),
	})
	return nil
}

// datastoreFaces leads what is about exports and imports to their face, all else to FHIR REST.
func datastoreFaces(resources, exports http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if parts := strings.SplitN(r.URL.Path, "/", 5); len(parts) == 5 && bulk.Serves(parts[4]) {
			exports.ServeHTTP(w, r)
			return
		}
		resources.ServeHTTP(w, r)
	})
}
