package edge

import (
	"context"
	"net/http"
	"strings"
)

// Faces are the handlers that an Edge leads to. A nil face is not offered, and whoever asks for it is told so.
type Faces struct {
	HealthLake http.Handler // X-Amz-Target: HealthLake.*
	KMS        http.Handler // X-Amz-Target: TrentService.*
	IAM        http.Handler // signed for iam
	STS        http.Handler // signed for sts
	S3         http.Handler // signed for s3, and what is left
	FHIR       http.Handler // /datastore/
	Console    http.Handler // /console/
	// Ready says whether requests can be served; nil means always. It must be quick.
	Ready   func(ctx context.Context) error
	Metrics http.Handler // /metrics; nil is not found
}

// face is the family of a route: it chooses the form of errors, the bound of bodies and the headers of answers.
type face uint8

const (
	faceHealthLake face = iota
	faceKMS
	faceIAM
	faceSTS
	faceS3
	faceFHIR
	faceConsole
	faceProbe // /healthz, /readyz, /metrics and redirects
)

// names are the routes' names until a face says more, and the scopes of signatures where there is one.
var names = [...]string{"healthlake", "kms", "iam", "sts", "s3", "fhir", "console", "probe"}

// Targets of the JSON protocols, as X-Amz-Target begins.
const (
	targetHealthLake = "HealthLake."
	targetKMS        = "TrentService."
)

// problem is why a request leads nowhere.
type problem uint8

const (
	noProblem      problem = iota
	unknownTarget          // an X-Amz-Target of a service that is not here
	missingTarget          // signed for a JSON protocol without a target
	unknownService         // signed for a service that is not here
	toConsole              // a browser at the door
	dotSegments            // a FHIR path with . or .. in it
)

// route finds the face of a request. It decides nothing about rights: each face authenticates for its own service.
func route(r *http.Request) (face, problem) {
	if target := r.Header.Get("X-Amz-Target"); target != "" {
		switch {
		case strings.HasPrefix(target, targetHealthLake):
			return faceHealthLake, noProblem
		case strings.HasPrefix(target, targetKMS):
			return faceKMS, noProblem
		}
		return faceHealthLake, unknownTarget
	}
	path := r.URL.Path
	if isDatastore(path) {
		if hasDots(path) {
			return faceFHIR, dotSegments
		}
		return faceFHIR, noProblem
	}
	scope := scopeOf(r)
	switch scope {
	case "s3":
		return faceS3, noProblem
	case "iam":
		return faceIAM, noProblem
	case "sts":
		return faceSTS, noProblem
	}
	switch {
	case strings.HasPrefix(path, "/datastore/") && hasDots(path):
		return faceFHIR, dotSegments
	case strings.HasPrefix(path, "/datastore/"):
		return faceFHIR, noProblem
	case strings.HasPrefix(path, "/console/"):
		return faceConsole, noProblem
	case path == "/healthz" || path == "/readyz" || path == "/metrics":
		return faceProbe, noProblem
	}
	switch scope {
	case "healthlake":
		return faceHealthLake, missingTarget
	case "kms":
		return faceKMS, missingTarget
	case "":
	default:
		return faceSTS, unknownService
	}
	switch {
	case path == "/console", path == "/" && isBrowser(r):
		return faceConsole, toConsole
	case path == "/" && r.Method == http.MethodPost && strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded"):
		return faceSTS, noProblem // unsigned: it will be told that a signature is missing, in its own form
	}
	return faceS3, noProblem
}

// isDatastore reports whether a path is below /datastore/{32 hex}/, which leads to FHIR whatever a signature says: its
// face then says what is wrong with the signature.
func isDatastore(path string) bool {
	rest, ok := strings.CutPrefix(path, "/datastore/")
	if !ok || len(rest) < 33 || rest[32] != '/' {
		return false
	}
	for i := range 32 {
		if c := rest[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// hasDots reports whether a path has a segment . or .., however it was escaped. Signers resolve these before they sign,
// so that a signature for one address would be good for another one with them.
func hasDots(path string) bool {
	for segment := range strings.SplitSeq(path, "/") {
		if segment == "." || segment == ".." {
			return true
		}
	}
	return false
}

// scopeOf is the service in the scope of the signature, or empty where there is none that can be read.
func scopeOf(r *http.Request) string {
	if header := r.Header.Get("Authorization"); header != "" {
		_, credential, ok := strings.Cut(header, "Credential=")
		if !ok {
			return ""
		}
		end := strings.IndexAny(credential, ", ")
		if end >= 0 {
			credential = credential[:end]
		}
		return service(credential, "/")
	}
	_, credential, ok := strings.Cut(r.URL.RawQuery, "X-Amz-Credential=")
	if !ok {
		return ""
	}
	credential, _, _ = strings.Cut(credential, "&")
	if strings.Contains(credential, "/") {
		return service(credential, "/")
	}
	return service(strings.ReplaceAll(credential, "%2f", "%2F"), "%2F")
}

// service is the part before the last of ACCESSKEY/DATE/REGION/SERVICE/aws4_request.
func service(credential, slash string) string {
	end := strings.LastIndex(credential, slash)
	if end < 0 {
		return ""
	}
	start := strings.LastIndex(credential[:end], slash)
	if start < 0 {
		return ""
	}
	return credential[start+len(slash) : end]
}

func isBrowser(r *http.Request) bool {
	return (r.Method == http.MethodGet || r.Method == http.MethodHead) && strings.Contains(r.Header.Get("Accept"), "text/html")
}
