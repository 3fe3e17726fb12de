package control_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/healthlake"
	"github.com/aws/aws-sdk-go-v2/service/healthlake/types"

	"tarn/access"
	"tarn/catalog"
	"tarn/export"
	"tarn/fault"
	"tarn/job"
)

func startInput(id string) *healthlake.StartFHIRExportJobInput {
	return &healthlake.StartFHIRExportJobInput{DatastoreId: aws.String(id), DataAccessRoleArn: aws.String(roleARN), ClientToken: aws.String("token"),
		JobName: aws.String("nightly"), OutputDataConfig: &types.OutputDataConfigMemberS3Configuration{
			Value: types.S3Configuration{S3Uri: aws.String("s3://out/health"), KmsKeyId: aws.String(keyARN)}}}
}

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

func TestExportJobs_areStartedDescribedAndListed(t *testing.T) {
	t.Parallel()
	h := open(t)
	c, ctx := h.root(), t.Context()
	d, other := h.datastore(nil), h.datastore(nil)
	started, err := c.StartFHIRExportJob(ctx, startInput(d.ID))
	must(t, err)
	if started.JobStatus != types.JobStatusSubmitted || *started.DatastoreId != d.ID || len(*started.JobId) != 32 {
		t.Errorf("%+v", started)
	}
	if want := (export.Request{Datastore: d.ID, DatastoreARN: d.ARN, JobName: "nightly", ClientToken: "token", RoleARN: roleARN, S3Uri: "s3://out/health",
		KMSKeyID: keyARN, Caller: "arn:aws:iam::000000000000:root"}); !reflect.DeepEqual(h.exports[0], want) {
		t.Errorf("asked for %+v, want %+v", h.exports[0], want)
	}
	imported, err := c.StartFHIRImportJob(ctx, &healthlake.StartFHIRImportJobInput{DatastoreId: &d.ID, DataAccessRoleArn: aws.String(roleARN), ValidationLevel: types.ValidationLevelMinimal,
		InputDataConfig:     &types.InputDataConfigMemberS3Uri{Value: "s3://input/x/"},
		JobOutputDataConfig: &types.OutputDataConfigMemberS3Configuration{Value: types.S3Configuration{S3Uri: aws.String("s3://out"), KmsKeyId: aws.String(keyARN)}}})
	must(t, err)

	described, err := c.DescribeFHIRExportJob(ctx, &healthlake.DescribeFHIRExportJobInput{DatastoreId: &d.ID, JobId: started.JobId})
	must(t, err)
	p := described.ExportJobProperties
	to := p.OutputDataConfig.(*types.OutputDataConfigMemberS3Configuration).Value
	if *to.S3Uri != "s3://out/health/"+d.ID+"-FHIR_EXPORT-"+*started.JobId+"/" || *to.KmsKeyId != keyARN || *p.JobName != "nightly" || p.EndTime != nil || p.Message != nil ||
		*p.DataAccessRoleArn != roleARN || p.SubmitTime.IsZero() {
		t.Errorf("%+v %+v", p, to)
	}
	_, answer := h.post("DescribeFHIRImportJob", fmt.Sprintf(`{"DatastoreId":%q,"JobId":%q}`, d.ID, *imported.JobId))
	ip := answer["ImportJobProperties"].(map[string]any)
	if report := ip["JobProgressReport"].(map[string]any); len(report) != 8 || report["Throughput"] != 0.0 {
		t.Errorf("report %v", report)
	}
	if ip["ValidationLevel"] != "minimal" || ip["InputDataConfig"].(map[string]any)["S3Uri"] != "s3://input/x/" ||
		ip["JobOutputDataConfig"].(map[string]any)["S3Configuration"].(map[string]any)["S3Uri"] != "s3://out/"+d.ID+"-FHIR_IMPORT-"+*imported.JobId+"/" {
		t.Errorf("%v", ip)
	}

	_, err = c.DescribeFHIRExportJob(ctx, &healthlake.DescribeFHIRExportJobInput{DatastoreId: &d.ID, JobId: imported.JobId})
	wantError[*types.ResourceNotFoundException](t, err, "no export job")
	_, err = c.DescribeFHIRImportJob(ctx, &healthlake.DescribeFHIRImportJobInput{DatastoreId: &d.ID, JobId: started.JobId})
	wantError[*types.ResourceNotFoundException](t, err, "no import job")
	_, err = c.DescribeFHIRExportJob(ctx, &healthlake.DescribeFHIRExportJobInput{DatastoreId: &other.ID, JobId: started.JobId})
	wantError[*types.ResourceNotFoundException](t, err, *started.JobId)

	// A list shows the jobs of its kind and data store, newest first.
	ids := []string{*started.JobId}
	for i := range 4 {
		in := startInput(d.ID)
		in.ClientToken, in.JobName = nil, aws.String(fmt.Sprint("j", i%2))
		s, err := c.StartFHIRExportJob(ctx, in)
		must(t, err)
		ids = append(ids, *s.JobId)
	}
	_, err = h.ledger.Cancel(ctx, d.ID, ids[2])
	must(t, err)
	first, err := h.ledger.Describe(ctx, d.ID, ids[0])
	must(t, err)
	for name, l := range map[string]struct {
		in   healthlake.ListFHIRExportJobsInput
		want []int
	}{
		"all":    {healthlake.ListFHIRExportJobsInput{}, []int{4, 3, 2, 1, 0}},
		"name":   {healthlake.ListFHIRExportJobsInput{JobName: aws.String("j0")}, []int{3, 1}},
		"status": {healthlake.ListFHIRExportJobsInput{JobStatus: types.JobStatusCancelSubmitted}, []int{2}},
		"before": {healthlake.ListFHIRExportJobsInput{SubmittedBefore: &first.SubmitTime}, nil},
		"after":  {healthlake.ListFHIRExportJobsInput{SubmittedAfter: aws.Time(first.SubmitTime.Add(-time.Millisecond))}, []int{4, 3, 2, 1, 0}},
	} {
		for _, max := range []int32{1, 3, 500} {
			l.in.DatastoreId, l.in.MaxResults, l.in.NextToken = &d.ID, aws.Int32(max), nil
			var got []int
			pages := healthlake.NewListFHIRExportJobsPaginator(c, &l.in)
			for pages.HasMorePages() {
				page, err := pages.NextPage(ctx)
				must(t, err)
				for _, p := range page.ExportJobPropertiesList {
					got = append(got, slices.Index(ids, *p.JobId))
				}
			}
			if !slices.Equal(got, l.want) {
				t.Errorf("%s by %d: got %v, want %v", name, max, got, l.want)
			}
		}
	}
	list, err := c.ListFHIRImportJobs(ctx, &healthlake.ListFHIRImportJobsInput{DatastoreId: &d.ID})
	must(t, err)
	if len(list.ImportJobPropertiesList) != 1 || list.NextToken != nil {
		t.Errorf("%+v", list)
	}

	// A token of one list opens no other.
	page, err := c.ListFHIRExportJobs(ctx, &healthlake.ListFHIRExportJobsInput{DatastoreId: &d.ID, MaxResults: aws.Int32(1)})
	must(t, err)
	for name, in := range map[string]*healthlake.ListFHIRExportJobsInput{
		"other data store": {DatastoreId: &other.ID, NextToken: page.NextToken},
		"other filter":     {DatastoreId: &d.ID, JobName: aws.String("j0"), NextToken: page.NextToken},
		"tampered":         {DatastoreId: &d.ID, NextToken: aws.String("B" + (*page.NextToken)[1:])},
		"cut":              {DatastoreId: &d.ID, NextToken: aws.String((*page.NextToken)[1:])},
	} {
		_, err := c.ListFHIRExportJobs(ctx, in)
		if err == nil {
			t.Errorf("%s: the token was taken", name)
			continue
		}
		wantError[*types.ValidationException](t, err, "NextToken")
	}
	_, err = c.ListFHIRImportJobs(ctx, &healthlake.ListFHIRImportJobsInput{DatastoreId: &d.ID, NextToken: page.NextToken})
	wantError[*types.ValidationException](t, err, "NextToken")
}

func TestFace_looksUpTheDatastoreBeforeAnythingElse(t *testing.T) {
	t.Parallel()
	h := open(t)
	ctx := t.Context()
	nobody := h.user("nobody", `{"Effect":"Allow","Action":"s3:*","Resource":"*"}`)
	_, err := nobody.StartFHIRExportJob(ctx, startInput(missing))
	wantError[*types.ResourceNotFoundException](t, err, missing)
	for name, call := range map[string]func(*healthlake.Client) error{
		"start export": func(c *healthlake.Client) error { _, err := c.StartFHIRExportJob(ctx, startInput(missing)); return err },
		"start import": func(c *healthlake.Client) error {
			_, err := c.StartFHIRImportJob(ctx, &healthlake.StartFHIRImportJobInput{DatastoreId: aws.String(missing), DataAccessRoleArn: aws.String(roleARN),
				InputDataConfig:     &types.InputDataConfigMemberS3Uri{Value: "s3://none"},
				JobOutputDataConfig: &types.OutputDataConfigMemberS3Configuration{Value: types.S3Configuration{S3Uri: aws.String("s3://none"), KmsKeyId: aws.String("k")}}})
			return err
		},
		"describe export": func(c *healthlake.Client) error {
			_, err := c.DescribeFHIRExportJob(ctx, &healthlake.DescribeFHIRExportJobInput{DatastoreId: aws.String(missing), JobId: aws.String(missing)})
			return err
		},
		"describe import": func(c *healthlake.Client) error {
			_, err := c.DescribeFHIRImportJob(ctx, &healthlake.DescribeFHIRImportJobInput{DatastoreId: aws.String(missing), JobId: aws.String(missing)})
			return err
		},
		"list exports": func(c *healthlake.Client) error {
			_, err := c.ListFHIRExportJobs(ctx, &healthlake.ListFHIRExportJobsInput{DatastoreId: aws.String(missing)})
			return err
		},
		"list imports": func(c *healthlake.Client) error {
			_, err := c.ListFHIRImportJobs(ctx, &healthlake.ListFHIRImportJobsInput{DatastoreId: aws.String(missing)})
			return err
		},
		"describe": func(c *healthlake.Client) error {
			_, err := c.DescribeFHIRDatastore(ctx, &healthlake.DescribeFHIRDatastoreInput{DatastoreId: aws.String("never made")})
			return err
		},
		"delete": func(c *healthlake.Client) error {
			_, err := c.DeleteFHIRDatastore(ctx, &healthlake.DeleteFHIRDatastoreInput{DatastoreId: aws.String(missing)})
			return err
		},
		"tags": func(c *healthlake.Client) error {
			_, err := c.ListTagsForResource(ctx, &healthlake.ListTagsForResourceInput{ResourceARN: aws.String(h.catalog.ARN(missing))})
			return err
		},
		"tags elsewhere": func(c *healthlake.Client) error {
			_, err := c.ListTagsForResource(ctx, &healthlake.ListTagsForResourceInput{ResourceARN: aws.String(
				"arn:aws:healthlake:eu-west-1:111111111111:datastore/fhir/" + missing)})
			return err
		},
	} {
		var notFound *types.ResourceNotFoundException
		if err := call(h.root()); !errors.As(err, &notFound) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if h.asked != 0 {
		t.Errorf("a service was asked %d times", h.asked)
	}
}

func TestFace_asksForRights(t *testing.T) {
	t.Parallel()
	h := open(t)
	ctx := t.Context()
	d, red := h.datastore(nil), h.datastore(map[string]string{"colour": "red"})

	// Without iam:PassRole nothing is said of role or bucket.
	starter := h.user("starter", `{"Effect":"Allow","Action":"healthlake:StartFHIRExportJob","Resource":"`+d.ARN+`"}`)
	_, err := starter.StartFHIRExportJob(ctx, startInput(d.ID))
	wantError[*types.AccessDeniedException](t, err, "user/starter is not authorized to perform: iam:PassRole on resource: "+roleARN)
	passer := h.user("passer", `{"Effect":"Allow","Action":"iam:PassRole","Resource":"*"}`)
	_, err = passer.StartFHIRExportJob(ctx, startInput(d.ID))
	wantError[*types.AccessDeniedException](t, err, "healthlake:StartFHIRExportJob on resource: "+d.ARN)
	if h.asked != 0 {
		t.Error("a service was asked")
	}
	elsewhere := h.user("elsewhere", `{"Effect":"Allow","Action":"healthlake:*","Resource":"*"},
		{"Effect":"Allow","Action":"iam:PassRole","Resource":"*","Condition":{"StringEquals":{"iam:PassedToService":"ec2.amazonaws.com"}}}`)
	_, err = elsewhere.StartFHIRExportJob(ctx, startInput(d.ID))
	wantError[*types.AccessDeniedException](t, err, "iam:PassRole")
	both := h.user("both", `{"Effect":"Allow","Action":"healthlake:StartFHIRExportJob","Resource":"`+d.ARN+`"},
		{"Effect":"Allow","Action":"iam:PassRole","Resource":"`+roleARN+`","Condition":{"StringEquals":{"iam:PassedToService":"healthlake.amazonaws.com"}}}`)
	_, err = both.StartFHIRExportJob(ctx, startInput(d.ID))
	must(t, err)
	without := h.user("without", `{"Effect":"Allow","Action":"*","Resource":"*"},
		{"Effect":"Deny","Action":"healthlake:StartFHIRExportJob*","Resource":"*","Condition":{"StringEquals":{"tarn:ResourceType":"Observation"}}}`)
	_, err = without.StartFHIRExportJob(ctx, startInput(d.ID)) // which exports all types
	wantError[*types.AccessDeniedException](t, err, "healthlake:StartFHIRExportJob on resource: "+d.ARN)
	_, err = both.StartFHIRExportJob(ctx, startInput(red.ID))
	wantError[*types.AccessDeniedException](t, err, red.ARN)

	// Tags of the resource and of the request decide too.
	painter := h.user("painter", `{"Effect":"Allow","Action":"healthlake:*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceTag/colour":"red"}}},
		{"Effect":"Allow","Action":"healthlake:CreateFHIRDatastore","Resource":"*","Condition":{"StringEquals":{"aws:RequestTag/colour":"red"},"ForAllValues:StringEquals":{"aws:TagKeys":["colour"]}}}`)
	_, err = painter.DescribeFHIRDatastore(ctx, &healthlake.DescribeFHIRDatastoreInput{DatastoreId: &red.ID})
	must(t, err)
	_, err = painter.DescribeFHIRDatastore(ctx, &healthlake.DescribeFHIRDatastoreInput{DatastoreId: &d.ID})
	wantError[interface{ ErrorCode() string }](t, err, "AccessDeniedException")
	_, err = painter.DescribeFHIRDatastore(ctx, &healthlake.DescribeFHIRDatastoreInput{DatastoreId: aws.String(missing)})
	wantError[interface{ ErrorCode() string }](t, err, "AccessDeniedException") // no word on what is not there
	create := func(tags ...types.Tag) error {
		_, err := painter.CreateFHIRDatastore(ctx, &healthlake.CreateFHIRDatastoreInput{DatastoreTypeVersion: types.FHIRVersionR4, Tags: tags})
		return err
	}
	colour := types.Tag{Key: aws.String("colour"), Value: aws.String("red")}
	must(t, create(colour))
	for _, err := range []error{create(), create(types.Tag{Key: aws.String("colour"), Value: aws.String("blue")}), create(colour, types.Tag{Key: aws.String("x"), Value: aws.String("y")})} {
		wantError[*types.AccessDeniedException](t, err, "healthlake:CreateFHIRDatastore")
	}
	_, err = painter.UntagResource(ctx, &healthlake.UntagResourceInput{ResourceARN: &d.ARN, TagKeys: []string{"colour"}})
	wantError[interface{ ErrorCode() string }](t, err, "AccessDeniedException")
	trimmer := h.user("trimmer", `{"Effect":"Allow","Action":"healthlake:UntagResource","Resource":"*","Condition":{"ForAllValues:StringEquals":{"aws:TagKeys":["size"]}}}`)
	_, err = trimmer.UntagResource(ctx, &healthlake.UntagResourceInput{ResourceARN: &red.ARN, TagKeys: []string{"size"}})
	must(t, err)
	_, err = trimmer.UntagResource(ctx, &healthlake.UntagResourceInput{ResourceARN: &red.ARN, TagKeys: []string{"size", "colour"}})
	wantError[interface{ ErrorCode() string }](t, err, "AccessDeniedException")
	_, err = starter.ListFHIRDatastores(ctx, &healthlake.ListFHIRDatastoresInput{})
	wantError[interface{ ErrorCode() string }](t, err, "AccessDeniedException")
	_, err = h.client("unknown").ListFHIRDatastores(ctx, &healthlake.ListFHIRDatastoresInput{})
	wantError[interface{ ErrorCode() string }](t, err, "UnrecognizedClientException")
}

func TestStartFHIRExportJob_tellsWhatTheServiceSays(t *testing.T) {
	t.Parallel()
	h := open(t)
	d := h.datastore(nil)
	start := func(refuse error) error {
		h.mu.Lock()
		h.refuse = refuse
		h.mu.Unlock()
		_, err := h.root().StartFHIRExportJob(t.Context(), startInput(d.ID))
		return err
	}
	bucket := export.Finding{Field: export.FieldBucket, Setting: "BlockPublicAcls", Resource: "arn:aws:s3:::out", Problem: "It is off.", Remedy: "Turn it on."}
	role := export.Finding{Field: export.FieldRole, Setting: "s3:PutObject", Resource: "arn:aws:s3:::out/*", Problem: "It is not allowed.", Remedy: "Allow it."}
	err := start(&export.PreflightError{Findings: []export.Finding{bucket}})
	wantError[*types.ValidationException](t, err, "BlockPublicAcls on arn:aws:s3:::out: It is off. Turn it on.")
	err = start(&export.PreflightError{Findings: []export.Finding{bucket, role}})
	wantError[*types.AccessDeniedException](t, err, "BlockPublicAcls on arn:aws:s3:::out")
	wantError[*types.AccessDeniedException](t, err, "s3:PutObject on arn:aws:s3:::out/*: It is not allowed. Allow it.")
	wantError[*types.ThrottlingException](t, start(fault.Errorf(fault.Throttled, "", "The queue is full.")), "The queue is full.")
	wantError[*types.InternalServerException](t, start(errors.New("secret")), "internal error")
	if err := start(errors.New("secret")); strings.Contains(err.Error(), "secret") {
		t.Errorf("told: %v", err)
	}
	wantError[interface{ ErrorCode() string }](t, start(fault.Errorf(fault.Unavailable, "", "S3 does not answer.")), "ServiceUnavailable")
}

func TestDescribeFHIRExportJob_tellsTheMessageOfAFailure(t *testing.T) {
	t.Parallel()
	h := open(t)
	d := h.datastore(nil)
	started, err := h.root().StartFHIRExportJob(t.Context(), startInput(d.ID))
	must(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = job.NewRunner(h.ledger, job.RunnerOptions{Kinds: map[job.Kind]job.Work{export.Kind: failing{cancel}}}).Run(ctx)
	}()
	<-ended
	described, err := h.root().DescribeFHIRExportJob(t.Context(), &healthlake.DescribeFHIRExportJobInput{DatastoreId: &d.ID, JobId: started.JobId})
	must(t, err)
	p := described.ExportJobProperties
	if p.JobStatus != types.JobStatusFailed || p.EndTime == nil || p.Message == nil || *p.Message != "s3:PutObject on arn:aws:s3:::b/ denied no. Allow it." {
		t.Errorf("%s %v %v", p.JobStatus, p.EndTime, aws.ToString(p.Message))
	}
}

type failing struct{ stop func() }

func (f failing) Run(context.Context, *job.Run) error {
	defer f.stop()
	return fault.WithHint(fault.Errorf(fault.Denied, "", `s3:PutObject on "arn:aws:s3:::b/*" denied, no.`), "Allow it.")
}

// wantError asks for an error of a type of the SDK whose text holds some words.
func wantError[E any](t *testing.T, err error, words string) {
	t.Helper()
	var typed E
	if !errors.As(err, &typed) || !strings.Contains(err.Error(), words) {
		t.Fatalf("got %v, want %T with %q", err, typed, words)
	}
}

var _ access.Directory = (*people)(nil)
