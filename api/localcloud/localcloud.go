// Package localcloud is the face of the embedded cloud: the parts of S3, KMS, IAM and STS that the export guide, the AWS
// CLI and the SDKs need, in these services' own wire formats. It is thin: who calls is found out by api/edge, what may be
// done and is done is decided in cloud/local and account. Every table of actions is data.
package localcloud
