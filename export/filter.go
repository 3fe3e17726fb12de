package export

import (
	"net/url"
	"strings"

	"tarn/fault"
	"tarn/fhir/r4"
	"tarn/store"
)

// checkQueries asks about every query of the selection.
func (c *chooser) checkQueries() error {
	labels := labelQuery("_tag", c.sel.Tags) + labelQuery("_security", c.sel.Security)
	if c.queries == nil && (len(c.sel.Filters) > 0 || labels != "") {
		return fault.Errorf(fault.Unsupported, "export", "This server exports no parts of types.")
	}
	for _, f := range c.sel.Filters {
		name, query, _ := strings.Cut(f, "?")
		code, _ := r4.CodeOf(name)
		if err := c.queries.CheckSelectSeen(c.ctx, c.v, c.job.Base, c.sel.seen(), code, query); err != nil {
			return err
		}
	}
	if labels == "" {
		return nil
	}
	return c.queries.CheckSelectSeen(c.ctx, c.v, c.job.Base, c.sel.seen(), patientCode, strings.TrimPrefix(labels, "&"))
}

// filter keeps what _typeFilter, _tag and _security leave. They do not speak of what is deleted.
func (c *chooser) filter(code r4.Code, next store.Ordinal, found *choice) error {
	meets, err := c.meets(code, next, labelQuery("_tag", c.sel.Tags)+labelQuery("_security", c.sel.Security))
	if err == nil && meets != nil {
		found.live.keep(meets)
	}
	return err
}

// meets finds what _typeFilter and a further query leave of a type; nil: all.
func (c *chooser) meets(code r4.Code, next store.Ordinal, further string) (ordinals, error) {
	var queries []string
	for _, f := range c.sel.Filters {
		if name, query, _ := strings.Cut(f, "?"); name == code.String() {
			queries = append(queries, query+further)
		}
	}
	if len(queries) == 0 && further != "" {
		queries = []string{further}
	}
	if len(queries) == 0 {
		return nil, nil
	}
	meets := newOrdinals(next)
	for _, q := range queries {
		for o, err := range c.queries.SelectSeen(c.ctx, c.v, c.job.Base, c.sel.seen(), code, strings.TrimPrefix(q, "&")) {
			if err = closing(err, c.ctx.Err()); err != nil {
				return nil, err
			}
			meets.add(o)
		}
	}
	return meets, nil
}

// labelQuery is the part of a query that asks for all of the labels.
func labelQuery(param string, labels []string) string {
	var b strings.Builder
	for _, l := range labels {
		b.WriteString("&" + param + "=" + url.QueryEscape(l))
	}
	return b.String()
}
