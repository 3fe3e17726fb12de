#!/bin/sh
# Installs what the tests need beyond Go, by apt-get where it may, and says which suites are left out otherwise.
# It never fails: a suite without its tool skips itself and says so.
missing=""
need() { # command, Debian package, what is left out without it
	command -v "$1" >/dev/null 2>&1 && return
	[ "$1" = initdb ] && ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 && return
	missing="$missing $2"
	left_out="$left_out
  $2: $3"
}
look() {
	missing="" left_out=""
	need aws awscli "the AWS CLI's trips (test/guide, api/localcloud)"
	need initdb postgresql "the PostgreSQL engine (kv/postgres)"
	need npm npm "validators of FHIR by others (test/conformance)"
	need chromium chromium "the console in a browser (console)"
}
look
if [ -n "$missing" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
	echo "installing for the tests:$missing"
	export DEBIAN_FRONTEND=noninteractive
	{ apt-get update -qq && apt-get install -y -qq --no-install-recommends $missing; } >/dev/null 2>&1
	look
fi
[ -z "$missing" ] || echo "missing, so these suites are left out:$left_out"
exit 0
