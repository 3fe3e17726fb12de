package localcloud

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"tarn/cloud"
	"tarn/fault"
)

// What a path names.
const (
	onService = "service"
	onBucket  = "bucket"
	onObject  = "object"
)

// s3Route is one action of S3: the method, what the path names, the sub-resource in the query (empty: none) and a header
// that must be there.
type s3Route struct {
	Method, On, Sub, Header string
	Action                  string
	handle                  func(*s3Call) error
}

// s3Routes are all actions, the first that fits counts: of one method and place, those with a sub-resource stand before
// the one without.
var s3Routes = []s3Route{
	{"GET", onService, "", "", "ListBuckets", (*s3Call).listBuckets},

	{"GET", onBucket, "location", "", "GetBucketLocation", (*s3Call).getBucketLocation},
	{"GET", onBucket, "publicAccessBlock", "", "GetPublicAccessBlock", (*s3Call).getPublicAccessBlock},
	{"PUT", onBucket, "publicAccessBlock", "", "PutPublicAccessBlock", (*s3Call).putPublicAccessBlock},
	{"DELETE", onBucket, "publicAccessBlock", "", "DeletePublicAccessBlock", (*s3Call).deletePublicAccessBlock},
	{"GET", onBucket, "encryption", "", "GetBucketEncryption", (*s3Call).getBucketEncryption},
	{"PUT", onBucket, "encryption", "", "PutBucketEncryption", (*s3Call).putBucketEncryption},
	{"DELETE", onBucket, "encryption", "", "DeleteBucketEncryption", (*s3Call).deleteBucketEncryption},
	{"GET", onBucket, "policy", "", "GetBucketPolicy", (*s3Call).getBucketPolicy},
	{"PUT", onBucket, "policy", "", "PutBucketPolicy", (*s3Call).putBucketPolicy},
	{"DELETE", onBucket, "policy", "", "DeleteBucketPolicy", (*s3Call).deleteBucketPolicy},
	{"GET", onBucket, "policyStatus", "", "GetBucketPolicyStatus", (*s3Call).getBucketPolicyStatus},
	{"GET", onBucket, "ownershipControls", "", "GetBucketOwnershipControls", (*s3Call).getOwnership},
	{"PUT", onBucket, "ownershipControls", "", "PutBucketOwnershipControls", (*s3Call).putOwnership},
	{"DELETE", onBucket, "ownershipControls", "", "DeleteBucketOwnershipControls", (*s3Call).deleteOwnership},
	{"GET", onBucket, "tagging", "", "GetBucketTagging", (*s3Call).getBucketTagging},
	{"PUT", onBucket, "tagging", "", "PutBucketTagging", (*s3Call).putBucketTagging},
	{"DELETE", onBucket, "tagging", "", "DeleteBucketTagging", (*s3Call).deleteBucketTagging},
	{"GET", onBucket, "versioning", "", "GetBucketVersioning", (*s3Call).getVersioning},
	{"PUT", onBucket, "versioning", "", "PutBucketVersioning", (*s3Call).putVersioning},
	{"GET", onBucket, "acl", "", "GetBucketAcl", (*s3Call).getBucketACL},
	{"PUT", onBucket, "acl", "", "PutBucketAcl", (*s3Call).putBucketACL},
	{"GET", onBucket, "requestPayment", "", "GetBucketRequestPayment", (*s3Call).getRequestPayment},
	{"GET", onBucket, "logging", "", "GetBucketLogging", (*s3Call).getLogging},
	{"GET", onBucket, "notification", "", "GetBucketNotificationConfiguration", (*s3Call).getNotification},
	{"GET", onBucket, "accelerate", "", "GetBucketAccelerateConfiguration", (*s3Call).getAccelerate},
	{"GET", onBucket, "cors", "", "GetBucketCors", absent("s3:GetBucketCORS", "NoSuchCORSConfiguration", "The CORS configuration does not exist")},
	{"GET", onBucket, "lifecycle", "", "GetBucketLifecycleConfiguration", absent("s3:GetLifecycleConfiguration", "NoSuchLifecycleConfiguration", "The lifecycle configuration does not exist")},
	{"GET", onBucket, "website", "", "GetBucketWebsite", absent("s3:GetBucketWebsite", "NoSuchWebsiteConfiguration", "The specified bucket does not have a website configuration")},
	{"GET", onBucket, "replication", "", "GetBucketReplication", absent("s3:GetReplicationConfiguration", "ReplicationConfigurationNotFoundError", "The replication configuration was not found")},
	{"GET", onBucket, "object-lock", "", "GetObjectLockConfiguration", absent("s3:GetBucketObjectLockConfiguration", "ObjectLockConfigurationNotFoundError", "Object Lock configuration does not exist for this bucket")},
	{"GET", onBucket, "uploads", "", "ListMultipartUploads", (*s3Call).listUploads},
	{"GET", onBucket, "versions", "", "ListObjectVersions", (*s3Call).listVersions},
	{"GET", onBucket, "list-type", "", "ListObjectsV2", (*s3Call).listObjectsV2},
	{"POST", onBucket, "delete", "", "DeleteObjects", (*s3Call).deleteObjects},
	{"GET", onBucket, "", "", "ListObjects", (*s3Call).listObjects},
	{"PUT", onBucket, "", "", "CreateBucket", (*s3Call).createBucket},
	{"HEAD", onBucket, "", "", "HeadBucket", (*s3Call).headBucket},
	{"DELETE", onBucket, "", "", "DeleteBucket", (*s3Call).deleteBucket},

	{"GET", onObject, "uploadId", "", "ListParts", (*s3Call).listParts},
	{"PUT", onObject, "uploadId", "X-Amz-Copy-Source", "UploadPartCopy", (*s3Call).copyPart},
	{"PUT", onObject, "uploadId", "", "UploadPart", (*s3Call).uploadPart},
	{"DELETE", onObject, "uploadId", "", "AbortMultipartUpload", (*s3Call).abortUpload},
	{"POST", onObject, "uploadId", "", "CompleteMultipartUpload", (*s3Call).completeUpload},
	{"POST", onObject, "uploads", "", "CreateMultipartUpload", (*s3Call).createUpload},
	{"GET", onObject, "acl", "", "GetObjectAcl", (*s3Call).getObjectACL},
	{"PUT", onObject, "acl", "", "PutObjectAcl", (*s3Call).putObjectACL},
	{"GET", onObject, "tagging", "", "GetObjectTagging", (*s3Call).getObjectTagging},
	{"GET", onObject, "attributes", "", "GetObjectAttributes", (*s3Call).getAttributes},
	{"PUT", onObject, "", "X-Amz-Copy-Source", "CopyObject", (*s3Call).copyObject},
	{"PUT", onObject, "", "", "PutObject", (*s3Call).putObject},
	{"GET", onObject, "", "", "GetObject", (*s3Call).getObject},
	{"HEAD", onObject, "", "", "HeadObject", (*s3Call).headObject},
	{"DELETE", onObject, "", "", "DeleteObject", (*s3Call).deleteObject},
}

// s3Subs are the sub-resources of S3 that would be taken for something else if they were passed over.
var s3Subs = []string{"accelerate", "acl", "analytics", "attributes", "cors", "delete", "encryption", "intelligent-tiering", "inventory",
	"legal-hold", "lifecycle", "location", "logging", "metadataTable", "metrics", "notification", "object-lock", "ownershipControls", "policy", "policyStatus",
	"publicAccessBlock", "renameObject", "replication", "requestPayment", "restore", "retention", "select", "session", "tagging", "torrent", "uploadId", "uploads",
	"versioning", "versions", "website"}

// findS3Route finds the action of a request, or the methods that are allowed instead.
func findS3Route(method, bucket, key string, query url.Values, header http.Header) (_ *s3Route, allowed []string, _ error) {
	on := onObject
	switch {
	case bucket == "":
		on = onService
	case key == "":
		on = onBucket
	}
	sub := ""
	for _, name := range s3Subs {
		if query.Has(name) {
			sub = name
		}
	}
	for i := range s3Routes {
		row := &s3Routes[i]
		if row.On != on || row.Sub != sub && (row.Sub != "list-type" || sub != "" || !query.Has(row.Sub)) {
			continue
		}
		if row.Method != method {
			if !slices.Contains(allowed, row.Method) {
				allowed = append(allowed, row.Method)
			}
			continue
		}
		if row.Header == "" || header.Get(row.Header) != "" {
			return row, nil, nil
		}
	}
	switch {
	case sub != "":
		return nil, nil, s3NotOffered(fmt.Sprintf("The request %s ?%s of a %s", method, sub, on))
	case allowed != nil:
		return nil, allowed, &cloud.Error{Kind: fault.Unsupported, Code: "MethodNotAllowed", Msg: "The specified method is not allowed against this resource."}
	}
	return nil, nil, s3NotOffered(fmt.Sprintf("The request %s of a %s", method, on))
}
