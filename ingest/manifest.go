package ingest

import "encoding/json"

// manifest is manifest.json of an import's output folder, with HealthLake's members.
type manifest struct {
	Input struct {
		S3Uri string `json:"s3Uri"`
	} `json:"inputDataConfig"`
	Output struct {
		S3Uri string `json:"s3Uri"`
		Key   string `json:"encryptionKeyID"`
	} `json:"outputDataConfig"`
	Success struct {
		S3Uri string `json:"successOutputS3Uri"`
	} `json:"successOutput"`
	Failure struct {
		S3Uri string `json:"failureOutputS3Uri"`
	} `json:"failureOutput"`
	ScannedFiles   int     `json:"numberOfScannedFiles"`
	ImportedFiles  int64   `json:"numberOfFilesImported"`
	ReadFiles      int64   `json:"numberOfFilesReadWithSuccess"`
	ReadCustomer   int64   `json:"numberOfFilesReadWithCustomerError"`
	ReadServer     int64   `json:"numberOfFilesReadWithServerError"`
	ScannedMB      float64 `json:"sizeOfScannedFilesInMB"`
	ImportedMB     float64 `json:"sizeOfDataImportedSuccessfullyInMB"`
	Scanned        int64   `json:"numberOfResourcesScanned"`
	Imported       int64   `json:"numberOfResourcesImportedSuccessfully"`
	CustomerErrors int64   `json:"numberOfResourcesWithCustomerError"`
	ServerErrors   int64   `json:"numberOfResourcesWithServerError"`
}

const megabyte = 1e6

func newManifest(j Job, id string, files *inputs, at place) manifest {
	folder := FolderUri(j.OutputS3Uri, j.Datastore, id)
	var m manifest
	m.Input.S3Uri = j.InputS3Uri
	m.Output.S3Uri, m.Output.Key = folder, j.KeyARN
	m.Success.S3Uri, m.Failure.S3Uri = folder+"SUCCESS/", folder+"FAILURE/"
	m.ScannedFiles, m.ImportedFiles = files.count, at.Total.Files
	m.ReadFiles, m.ReadCustomer = at.Total.Files, at.Total.FilesFailed
	m.ScannedMB = float64(files.bytes) / megabyte
	m.ImportedMB = float64(at.Total.ImportedBytes) / megabyte
	m.Scanned, m.Imported, m.CustomerErrors = at.Total.Scanned, at.Total.Imported, at.Total.Failed
	return m
}

func (m manifest) marshal() ([]byte, error) {
	b, err := json.MarshalIndent(m, "", " ")
	return append(b, '\n'), err
}
