package control_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/healthlake"
	"github.com/aws/aws-sdk-go-v2/service/healthlake/types"

	"tarn/catalog"
)

func TestDatastore_livesAsItsClientExpects(t *testing.T) {
	t.Parallel()
	h := open(t)
	c, ctx := h.root(), t.Context()
	made, err := c.CreateFHIRDatastore(ctx, &healthlake.CreateFHIRDatastoreInput{DatastoreTypeVersion: types.FHIRVersionR4, DatastoreName: aws.String("my store"),
		ClientToken: aws.String("once"), Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("")}}})
	must(t, err)
	id := *made.DatastoreId
	if made.DatastoreStatus != types.DatastoreStatusCreating || *made.DatastoreEndpoint != h.url+"/datastore/"+id+"/r4/" ||
		*made.DatastoreArn != "arn:aws:healthlake:us-east-1:000000000000:datastore/fhir/"+id {
		t.Errorf("%+v", made)
	}
	described, err := c.DescribeFHIRDatastore(ctx, &healthlake.DescribeFHIRDatastoreInput{DatastoreId: &id})
	must(t, err)
	p := described.DatastoreProperties
	kept, err := h.catalog.Describe(ctx, id)
	must(t, err)
	if !p.CreatedAt.Equal(kept.CreatedAt) {
		t.Errorf("created at %v, want %v to the millisecond", p.CreatedAt, kept.CreatedAt)
	}
	if p.DatastoreStatus != types.DatastoreStatusActive || *p.DatastoreName != "my store" || time.Since(*p.CreatedAt) > time.Minute || p.CreatedAt.Nanosecond()%1e6 != 0 ||
		p.SseConfiguration.KmsEncryptionConfig.CmkType != types.CmkTypeAoCmk ||
		p.IdentityProviderConfiguration.AuthorizationStrategy != types.AuthorizationStrategyAwsAuth || p.PreloadDataConfig != nil || p.ErrorCause != nil {
		t.Errorf("%+v", p)
	}
	again, err := c.CreateFHIRDatastore(ctx, &healthlake.CreateFHIRDatastoreInput{DatastoreTypeVersion: types.FHIRVersionR4, DatastoreName: aws.String("my store"),
		ClientToken: aws.String("once"), Tags: []types.Tag{{Key: aws.String("team"), Value: aws.String("")}}})
	must(t, err)
	if *again.DatastoreId != id {
		t.Error("the same token made another data store")
	}
	_, err = c.CreateFHIRDatastore(ctx, &healthlake.CreateFHIRDatastoreInput{DatastoreTypeVersion: types.FHIRVersionR4, ClientToken: aws.String("once")})
	wantError[*types.ValidationException](t, err, "ClientToken was used before")

	_, err = c.TagResource(ctx, &healthlake.TagResourceInput{ResourceARN: made.DatastoreArn, Tags: []types.Tag{{Key: aws.String("a"), Value: aws.String("1")}}})
	must(t, err)
	_, err = c.UntagResource(ctx, &healthlake.UntagResourceInput{ResourceARN: made.DatastoreArn, TagKeys: []string{"team", "none"}})
	must(t, err)
	tags, err := c.ListTagsForResource(ctx, &healthlake.ListTagsForResourceInput{ResourceARN: made.DatastoreArn})
	must(t, err)
	if len(tags.Tags) != 1 || *tags.Tags[0].Key != "a" || *tags.Tags[0].Value != "1" {
		t.Errorf("tags %+v", tags.Tags)
	}

	gone, err := c.DeleteFHIRDatastore(ctx, &healthlake.DeleteFHIRDatastoreInput{DatastoreId: &id})
	must(t, err)
	if gone.DatastoreStatus != types.DatastoreStatusDeleting || *gone.DatastoreArn != *made.DatastoreArn || *gone.DatastoreEndpoint == "" {
		t.Errorf("%+v", gone)
	}
	_, err = c.DeleteFHIRDatastore(ctx, &healthlake.DeleteFHIRDatastoreInput{DatastoreId: &id})
	wantError[*types.ConflictException](t, err, "DELETING")
	_, err = c.StartFHIRExportJob(ctx, startInput(id))
	wantError[*types.ValidationException](t, err, "DELETING")
	must(t, h.catalog.Purge(ctx, id))
	described, err = c.DescribeFHIRDatastore(ctx, &healthlake.DescribeFHIRDatastoreInput{DatastoreId: &id})
	must(t, err)
	if described.DatastoreProperties.DatastoreStatus != types.DatastoreStatusDeleted {
		t.Errorf("status %s", described.DatastoreProperties.DatastoreStatus)
	}
	_, err = c.ListTagsForResource(ctx, &healthlake.ListTagsForResourceInput{ResourceARN: made.DatastoreArn})
	wantError[*types.ResourceNotFoundException](t, err, "deleted")
	_, err = c.StartFHIRExportJob(ctx, startInput(id))
	wantError[*types.ResourceNotFoundException](t, err, "deleted")
	_, err = c.ListFHIRExportJobs(ctx, &healthlake.ListFHIRExportJobsInput{DatastoreId: &id}) // its history stays
	must(t, err)
}

func TestDatastore_refusesWhatIsNotOfferedYet(t *testing.T) {
	t.Parallel()
	h := open(t)
	for want, in := range map[string]*healthlake.CreateFHIRDatastoreInput{
		"customer managed KMS key is not yet offered": {SseConfiguration: &types.SseConfiguration{KmsEncryptionConfig: &types.KmsEncryptionConfig{
			CmkType: types.CmkTypeCmCmk, KmsKeyId: aws.String(keyARN)}}},
		"KmsKeyId goes with CmkType CUSTOMER_MANAGED_KMS_KEY only": {SseConfiguration: &types.SseConfiguration{KmsEncryptionConfig: &types.KmsEncryptionConfig{
			CmkType: types.CmkTypeAoCmk, KmsKeyId: aws.String(keyARN)}}},
		"SMART_ON_FHIR_V1 is not yet offered": {IdentityProviderConfiguration: &types.IdentityProviderConfiguration{AuthorizationStrategy: types.AuthorizationStrategySmartv1}},
		"go with SMART on FHIR only": {IdentityProviderConfiguration: &types.IdentityProviderConfiguration{AuthorizationStrategy: types.AuthorizationStrategyAwsAuth,
			FineGrainedAuthorizationEnabled: true}},
	} {
		in.DatastoreTypeVersion = types.FHIRVersionR4
		_, err := h.root().CreateFHIRDatastore(t.Context(), in)
		wantError[*types.ValidationException](t, err, want)
	}
	if page, err := h.catalog.List(t.Context(), catalog.Filter{}); err != nil || len(page.Datastores) != 0 {
		t.Errorf("%v %v", page, err)
	}
}

func TestDatastore_isPreloadedByAJob(t *testing.T) {
	t.Parallel()
	h := open(t)
	c, ctx := h.root(), t.Context()
	made, err := c.CreateFHIRDatastore(ctx, &healthlake.CreateFHIRDatastoreInput{DatastoreTypeVersion: types.FHIRVersionR4,
		PreloadDataConfig: &types.PreloadDataConfig{PreloadDataType: types.PreloadDataTypeSynthea}})
	must(t, err)
	_, err = c.StartFHIRExportJob(ctx, startInput(*made.DatastoreId))
	wantError[*types.ValidationException](t, err, "CREATING")
	must(t, h.catalog.Fail(ctx, *made.DatastoreId, "No room.", true))
	described, err := c.DescribeFHIRDatastore(ctx, &healthlake.DescribeFHIRDatastoreInput{DatastoreId: made.DatastoreId})
	must(t, err)
	p := described.DatastoreProperties
	if p.DatastoreStatus != types.DatastoreStatusCreateFailed || *p.ErrorCause.ErrorMessage != "No room." || p.ErrorCause.ErrorCategory != types.ErrorCategoryRetryableError ||
		p.PreloadDataConfig.PreloadDataType != types.PreloadDataTypeSynthea {
		t.Errorf("%+v", p)
	}
}

func TestListFHIRDatastores_filtersAndPages(t *testing.T) {
	t.Parallel()
	h := open(t)
	c, ctx := h.root(), t.Context()
	var all []string
	var times []time.Time
	for i := range 7 {
		d, err := h.catalog.Create(ctx, catalog.CreateRequest{Name: fmt.Sprint("n", i%2), TypeVersion: "R4"})
		must(t, err)
		all, times = append(all, d.ID), append(times, d.CreatedAt)
		for time.Now().Truncate(time.Millisecond).Equal(d.CreatedAt) { // order within a millisecond is by id
			time.Sleep(100 * time.Microsecond)
		}
	}
	_, err := h.catalog.Delete(ctx, all[3])
	must(t, err)
	for name, f := range map[string]struct {
		filter *types.DatastoreFilter
		want   []int
	}{
		"all":    {nil, []int{6, 5, 4, 3, 2, 1, 0}},
		"name":   {&types.DatastoreFilter{DatastoreName: aws.String("n1")}, []int{5, 3, 1}},
		"status": {&types.DatastoreFilter{DatastoreStatus: types.DatastoreStatusDeleting}, []int{3}},
		"times":  {&types.DatastoreFilter{CreatedAfter: &times[1], CreatedBefore: &times[4]}, []int{3, 2}},
		"none":   {&types.DatastoreFilter{DatastoreName: aws.String("x")}, nil},
	} {
		for _, max := range []int32{1, 2, 500} {
			var got []int
			pages := healthlake.NewListFHIRDatastoresPaginator(c, &healthlake.ListFHIRDatastoresInput{Filter: f.filter, MaxResults: aws.Int32(max)})
			for pages.HasMorePages() {
				page, err := pages.NextPage(ctx)
				must(t, err)
				for _, d := range page.DatastorePropertiesList {
					got = append(got, slices.Index(all, *d.DatastoreId))
				}
			}
			if !slices.Equal(got, f.want) {
				t.Errorf("%s by %d: got %v, want %v", name, max, got, f.want)
			}
		}
	}
}
