package bulk_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/healthlake/types"

	"tarn/test/server"
)

// TestPostgres_servesExportsAsTheDataDirectoryDoes makes the main trips on a server whose rows lie in PostgreSQL: every
// level and parameter, changes and deletions, blocks of patients, and an export to the caller's bucket that tarn verify
// proves, all the same after a kill -9. With TARN_TEST_ENGINE=postgres all tests that run servers run so.
func TestPostgres_servesExportsAsTheDataDirectoryDoes(t *testing.T) {
	t.Parallel()
	srv := server.Start(t, server.OnPostgres(t)...)
	s := openOn(t, srv)
	s.exportsLevels()
	s.exportsChanges()
	m := s.await(s.kick("GET", "Patient/$export?organizeOutputBy=Patient", ""))
	if blocks := s.blocks(m); len(blocks) != 3 {
		t.Errorf("blocks of %v", blocks)
	}
	done := s.clients.AwaitExport(t, s.place, s.clients.StartExport(t, s.place, "whole"))
	uri := *done.OutputDataConfig.(*types.OutputDataConfigMemberS3Configuration).Value.S3Uri
	srv.Kill(t)
	srv.Restart(t)
	if out, stderr, code := srv.Tarn(t, "verify", uri); code != 0 || !strings.Contains(out, "verified ") {
		t.Errorf("tarn verify: exit %d\n%s%s", code, out, stderr)
	}
	if blocks := s.blocks(m); len(blocks) != 3 {
		t.Errorf("blocks of %v behind the restart", blocks)
	}
}
