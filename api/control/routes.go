package control

// route is one action: its name, the permission that it needs, the shape of its input and what it does.
type route struct {
	action, iamAction string
	shape             *shape
	handle            func(*Face, *request) (any, error)
}

// routes is the table of all actions. testdata/routes.golden shows it.
func routes() []route {
	return []route{
		{"CreateFHIRDatastore", "healthlake:CreateFHIRDatastore", createFHIRDatastore, (*Face).createFHIRDatastore},
		{"DeleteFHIRDatastore", "healthlake:DeleteFHIRDatastore", deleteFHIRDatastore, (*Face).deleteFHIRDatastore},
		{"DescribeFHIRDatastore", "healthlake:DescribeFHIRDatastore", describeFHIRDatastore, (*Face).describeFHIRDatastore},
		{"DescribeFHIRExportJob", "healthlake:DescribeFHIRExportJob", describeFHIRJob, (*Face).describeFHIRExportJob},
		{"DescribeFHIRImportJob", "healthlake:DescribeFHIRImportJob", describeFHIRJob, (*Face).describeFHIRImportJob},
		{"ListFHIRDatastores", "healthlake:ListFHIRDatastores", listFHIRDatastores, (*Face).listFHIRDatastores},
		{"ListFHIRExportJobs", "healthlake:ListFHIRExportJobs", listFHIRJobs, (*Face).listFHIRExportJobs},
		{"ListFHIRImportJobs", "healthlake:ListFHIRImportJobs", listFHIRJobs, (*Face).listFHIRImportJobs},
		{"ListTagsForResource", "healthlake:ListTagsForResource", listTagsForResource, (*Face).listTagsForResource},
		{"StartFHIRExportJob", "healthlake:StartFHIRExportJob", startFHIRExportJob, (*Face).startFHIRExportJob},
		{"StartFHIRImportJob", "healthlake:StartFHIRImportJob", startFHIRImportJob, (*Face).startFHIRImportJob},
		{"TagResource", "healthlake:TagResource", tagResource, (*Face).tagResource},
		{"UntagResource", "healthlake:UntagResource", untagResource, (*Face).untagResource},
	}
}
