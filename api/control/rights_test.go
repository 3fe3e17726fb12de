package control_test

import (
	"errors"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/healthlake"
	"github.com/aws/aws-sdk-go-v2/service/healthlake/types"
)

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
