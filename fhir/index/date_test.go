package index_test

import "testing"

func TestDate(t *testing.T) {
	t.Parallel()
	check(t, `{"resourceType":"Patient","birthDate":"2013-01-14"}`,
		[]string{"birthdate=2013-01-14", "birthdate=2013-01", "birthdate=2013", "birthdate=eq2013-01-14", "birthdate=ne2013-01-15", "birthdate=gt2013-01-13",
			"birthdate=lt2013-01-15", "birthdate=ge2013-01-14", "birthdate=le2013-01-14", "birthdate=ge2013", "birthdate=le2013", "birthdate=sa2013-01-13",
			"birthdate=eb2013-01-15", "birthdate=ap2013-01-20", "birthdate=ap2013-01-14", "birthdate=gt2013-01-14T10:00", "birthdate=lt2013-01-14T10:00",
			"birthdate=2012,2013", "birthdate=ne2013-01-14T10:00"},
		[]string{"birthdate=2013-01-15", "birthdate=2014", "birthdate=ne2013-01-14", "birthdate=ne2013", "birthdate=gt2013-01-14", "birthdate=gt2013", "birthdate=lt2013-01-14",
			"birthdate=ge2013-01-15", "birthdate=le2013-01-13", "birthdate=sa2013-01-14", "birthdate=eb2013-01-14", "birthdate=2013-01-14T10:00", "birthdate=ap1900"})
	check(t, `{"resourceType":"Observation","effectiveDateTime":"2020-06-30T23:30:00-02:00"}`,
		[]string{"date=2020-07-01", "date=2020-07-01T01:30:00Z", "date=2020-07-01T01:30", "date=2020-06-30T23:30:00-02:00", "date=2020-07-01T03:30:00 02:00", "date=gt2020-06-30"},
		[]string{"date=2020-06-30", "date=2020-06-30T23:30:00", "date=lt2020-07"})
	check(t, `{"resourceType":"Encounter","period":{"start":"2020-01-01","end":"2020-03-01"}}`,
		[]string{"date=2020", "date=ge2020-02", "date=gt2020-02", "date=lt2020-02", "date=le2020-02", "date=sa2019", "date=eb2021", "date=ap2020-02-10", "date=ne2020-02"},
		[]string{"date=2020-02", "date=sa2020-01-01", "date=eb2020-03-01", "date=gt2020-03-01", "date=lt2020-01-01", "date=ap2022"})
	check(t, `{"resourceType":"Encounter","period":{"start":"2020-01-01"}}`,
		[]string{"date=ge2025", "date=gt9999", "date=sa2019", "date=lt2021", "date=ap2030"}, []string{"date=2020", "date=eb2030", "date=lt2019", "date=sa2020"})
	check(t, `{"resourceType":"Encounter","period":{"end":"2020-01-01"}}`,
		[]string{"date=lt0001-01-01", "date=eb2021", "date=le2020"}, []string{"date=gt2020-01-01", "date=2020", "date=sa2019"}[:2])
	check(t, `{"resourceType":"Observation","effectiveTiming":{"event":["2013-02-01","2013-01-31T10:00:00Z","2013-03-24"]}}`,
		[]string{"date=2013", "date=sa2013-01-30", "date=ge2013-02-10", "date=eb2013-03-25"}, []string{"date=2013-02", "date=gt2013-03-24"})
	check(t, `{"resourceType":"Observation","effectiveTiming":{"repeat":{"boundsPeriod":{"start":"2013-01-31","end":"2013-03-24"}}}}`,
		[]string{"date=2013", "date=ge2013-02-10"}, []string{"date=2013-02"})
	check(t, `{"resourceType":"Observation","effectiveTiming":{"repeat":{"frequency":1}}}`, []string{"date:missing=false"}, []string{"date=gt0001"})
	check(t, `{"resourceType":"Observation","effectiveInstant":"2016-12-31T23:59:60Z"}`, []string{"date=2017-01-01T00:00:00Z"}, []string{"date=2016"})
	check(t, `{"resourceType":"Observation","effectiveInstant":"2016-12-31T23:59:59.1234Z"}`,
		[]string{"date=2016-12-31T23:59:59.123Z", "date=2016-12-31T23:59:59Z", "date=2016-12-31T23:59:59.12Z"}, []string{"date=2016-12-31T23:59:59.124Z"})
	check(t, `{"resourceType":"Patient","birthDate":"2013-02-30"}`, []string{"birthdate:missing=false"}, []string{"birthdate=2013", "birthdate=ne2012"})
	refused(t, "Patient", "birthdate=", "birthdate=2013-13", "birthdate=2013-02-30", "birthdate=20130101", "birthdate=xx2013", "birthdate=2013-01-01T10", "birthdate=gt",
		"birthdate=2013-01-01T25:00", "birthdate=2013-01-01T10:00:00.Z", "birthdate=2013-01-01T10:00:00+1:00", "birthdate=0000", "birthdate:exact=2013", "birthdate=Gt2013")
}
