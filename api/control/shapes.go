package control

import (
	"tarn/api/edge"
	"tarn/job"
)

// The shapes of HealthLake's model, version 2017-07-01. A test holds them against an independent copy of it.
const (
	tagPattern = `^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$`
)

var (
	datastoreID   = words(1, 32, edge.Plain)
	datastoreName = words(1, 256, edge.Plain)
	jobID         = words(1, 32, edge.Plain)
	jobName       = words(1, 64, edge.Plain)
	clientToken   = words(1, 64, edge.Token)
	roleARN       = words(20, 2048, `arn:aws(-[^:]+)?:iam::[0-9]{12}:role/.+`)
	s3URI         = words(0, 1024, `s3://[a-z0-9][\.\-a-z0-9]{1,61}[a-z0-9](/.*)?`)
	kmsKeyID      = words(1, 400, `(arn:aws((-us-gov)|(-iso)|(-iso-b)|(-cn))?:kms:)?([a-z]{2}-[a-z]+(-[a-z]+)?-\d:)?(\d{12}:)?(((key/)?[a-zA-Z0-9-_]+)|(alias/[a-zA-Z0-9:/_-]+))`)
	resourceARN   = words(1, 1011, `^arn:aws((-us-gov)|(-iso)|(-iso-b)|(-cn))?:healthlake:[a-z0-9-]+:\d{12}:datastore\/fhir\/.{32}`)
	lambdaARN     = words(49, 256, `arn:aws:lambda:[a-z]{2}-[a-z]+-\d{1}:\d{12}:function:[a-zA-Z0-9\-_\.]+(:(\$LATEST|[a-zA-Z0-9\-_]+))?`)
	nextToken     = words(0, 8192, ascii)
	maxResults    = number(1, 500)
	tagKey        = words(1, 128, tagPattern)
	tagValue      = words(0, 256, tagPattern)
	anyTime       = &shape{kind: timestamp}
	anyBool       = &shape{kind: boolean}
	anyText       = &shape{kind: text}

	fhirVersion     = oneOf("R4")
	preloadType     = oneOf("SYNTHEA")
	cmkType         = oneOf("CUSTOMER_MANAGED_KMS_KEY", "AWS_OWNED_KMS_KEY")
	strategy        = oneOf("SMART_ON_FHIR_V1", "SMART_ON_FHIR", "AWS_AUTH")
	datastoreStatus = oneOf("CREATING", "ACTIVE", "DELETING", "DELETED", "CREATE_FAILED")
	validationLevel = oneOf("strict", "structure-only", "minimal")
	jobStatus       = oneOf(states()...)

	tagList    = listOf(object(need("Key", tagKey), need("Value", tagValue)), 200)
	tagKeyList = listOf(tagKey, 200)

	outputDataConfig = either(need("S3Configuration", object(need("S3Uri", s3URI), need("KmsKeyId", kmsKeyID))))
	inputDataConfig  = either(need("S3Uri", s3URI))
)

// The inputs of the actions.
var (
	createFHIRDatastore = object(
		allowed("DatastoreName", datastoreName),
		need("DatastoreTypeVersion", fhirVersion),
		allowed("SseConfiguration", object(
			need("KmsEncryptionConfig", object(need("CmkType", cmkType), allowed("KmsKeyId", kmsKeyID))))),
		allowed("PreloadDataConfig", object(need("PreloadDataType", preloadType))),
		allowed("ClientToken", clientToken),
		allowed("Tags", tagList),
		allowed("IdentityProviderConfiguration", object(
			need("AuthorizationStrategy", strategy),
			allowed("FineGrainedAuthorizationEnabled", anyBool),
			allowed("Metadata", anyText),
			allowed("IdpLambdaArn", lambdaARN))))
	deleteFHIRDatastore   = object(need("DatastoreId", datastoreID))
	describeFHIRDatastore = deleteFHIRDatastore
	listFHIRDatastores    = object(
		allowed("Filter", object(
			allowed("DatastoreName", datastoreName),
			allowed("DatastoreStatus", datastoreStatus),
			allowed("CreatedBefore", anyTime),
			allowed("CreatedAfter", anyTime))),
		allowed("NextToken", nextToken),
		allowed("MaxResults", maxResults))
	startFHIRExportJob = object(
		allowed("JobName", jobName),
		need("OutputDataConfig", outputDataConfig),
		need("DatastoreId", datastoreID),
		need("DataAccessRoleArn", roleARN),
		allowed("ClientToken", clientToken))
	startFHIRImportJob = object(
		allowed("JobName", jobName),
		need("InputDataConfig", inputDataConfig),
		need("JobOutputDataConfig", outputDataConfig),
		need("DatastoreId", datastoreID),
		need("DataAccessRoleArn", roleARN),
		allowed("ClientToken", clientToken),
		allowed("ValidationLevel", validationLevel))
	describeFHIRJob = object(
		need("DatastoreId", datastoreID),
		need("JobId", jobID))
	listFHIRJobs = object(
		need("DatastoreId", datastoreID),
		allowed("NextToken", nextToken),
		allowed("MaxResults", maxResults),
		allowed("JobName", jobName),
		allowed("JobStatus", jobStatus),
		allowed("SubmittedBefore", anyTime),
		allowed("SubmittedAfter", anyTime))
	tagResource = object(
		need("ResourceARN", resourceARN),
		need("Tags", tagList))
	untagResource = object(
		need("ResourceARN", resourceARN),
		need("TagKeys", tagKeyList))
	listTagsForResource = object(need("ResourceARN", resourceARN))
)

func states() []string {
	var all []string
	for _, s := range job.States() {
		all = append(all, string(s))
	}
	return all
}
