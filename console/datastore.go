package console

import (
	"context"

	"tarn/api/client"
)

// properties is HealthLake's DatastoreProperties, whole.
type properties struct {
	client.Datastore
	IdentityProviderConfiguration *struct {
		AuthorizationStrategy, Metadata, IdpLambdaArn string
		FineGrainedAuthorizationEnabled               bool
	}
}

type datastoreData struct {
	properties
	Jobs    []jobRow // the newest few
	NoJobs  *Problem // why some are missing
	Running bool
	Created bool // just now
}

func describe(ctx context.Context, api *client.Client, id string) (properties, error) {
	var out struct{ DatastoreProperties properties }
	err := api.HealthLake(ctx, "DescribeFHIRDatastore", map[string]string{"DatastoreId": id}, &out)
	return out.DatastoreProperties, err
}

// recentJobs is how many jobs a data store's page shows.
const recentJobs = 5

// datastorePage shows all that is known of a data store, and its newest jobs.
func (c *Console) datastorePage(v *visit) error {
	p, err := describe(v.r.Context(), v.s.api, v.r.PathValue("id"))
	if err != nil {
		return err
	}
	d := datastoreData{properties: p, Running: inTransition(p.DatastoreStatus), Created: v.r.URL.Query().Get("created") != ""}
	if p.DatastoreStatus != deleted {
		jobs, err := jobsOf(v.r.Context(), v.s.api, []client.Datastore{p.Datastore}, recentJobs)
		if sessionOver(err) {
			return err
		}
		if err != nil {
			p := problemOf(err)
			d.NoJobs = &p
		}
		for _, j := range jobs {
			j.Took = took(j.Submitted, j.Ended, c.o.Now())
			d.Jobs = append(d.Jobs, j)
			d.Running = d.Running || j.running()
		}
	}
	return v.page("datastore", "datastores", label(p.Datastore), d)
}
