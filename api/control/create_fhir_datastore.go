package control

import (
	"tarn/api/edge"
	"tarn/catalog"
)

// createFHIRDatastore implements CreateFHIRDatastore.
func (f *Face) createFHIRDatastore(r *request) (any, error) {
	tags, err := r.in.tags("Tags")
	if err != nil {
		return nil, err
	}
	if err := r.call.Authorize(r.route.iamAction, "*", edge.RequestTags(tags)...); err != nil {
		return nil, err
	}
	kms := r.in.object("SseConfiguration").object("KmsEncryptionConfig")
	idp := r.in.object("IdentityProviderConfiguration")
	d, err := f.Datastores.Create(r, catalog.CreateRequest{
		Name:        r.in.text("DatastoreName"),
		TypeVersion: r.in.text("DatastoreTypeVersion"),
		Encryption:  catalog.Encryption{CMKType: kms.text("CmkType"), KMSKeyID: kms.text("KmsKeyId")},
		Preload:     r.in.object("PreloadDataConfig").text("PreloadDataType"),
		Identity: catalog.Identity{Strategy: idp.text("AuthorizationStrategy"), FineGrained: idp.truth("FineGrainedAuthorizationEnabled"),
			Metadata: idp.text("Metadata"), LambdaARN: idp.text("IdpLambdaArn")},
		Tags:        tags,
		ClientToken: r.in.text("ClientToken"),
	})
	if err != nil {
		return nil, err
	}
	return outputOf(d, d.Status), nil
}
