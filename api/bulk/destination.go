package bulk

import (
	"context"

	"tarn/api/edge"
	"tarn/catalog"
	"tarn/export"
	"tarn/fault"
)

// principal is the service that a data access role is handed to.
const principal = "healthlake.amazonaws.com"

// destination is where an export to the caller's bucket goes, in the members of a StartFHIRExportJob request.
type destination struct {
	DataAccessRoleArn string
	OutputDataConfig  struct {
		S3Configuration struct{ S3Uri, KmsKeyId string }
	}
}

// complete refuses a destination of which a member is missing.
func (d *destination) complete() error {
	to := d.OutputDataConfig.S3Configuration
	for _, member := range []struct{ name, value string }{
		{"DataAccessRoleArn", d.DataAccessRoleArn},
		{"OutputDataConfig.S3Configuration.S3Uri", to.S3Uri},
		{"OutputDataConfig.S3Configuration.KmsKeyId", to.KmsKeyId},
	} {
		if member.value == "" {
			return fault.Errorf(fault.Invalid, "bulk", "The member %s is missing.", member.name)
		}
	}
	return nil
}

// direct sends an export there, if the caller may hand the role to the service.
func (d *destination) direct(req *export.Request, call *edge.DatastoreCall) error {
	if err := call.PassRole(d.DataAccessRoleArn, principal); err != nil {
		return err
	}
	to := d.OutputDataConfig.S3Configuration
	req.Own, req.RoleARN, req.S3Uri, req.KMSKeyID = false, d.DataAccessRoleArn, to.S3Uri, to.KmsKeyId
	return nil
}

// active is the data store of a call, which an export needs to be ACTIVE.
func (f *Face) active(ctx context.Context, id string) (catalog.Datastore, error) {
	d, err := f.o.Datastores.Known(ctx, id)
	if err == nil && d.Status != catalog.Active {
		err = fault.Errorf(fault.Invalid, "bulk", "Data store %s is %s; an export needs it to be ACTIVE.", d.ID, d.Status)
	}
	return d, err
}
