package catalog

// shelf is what the process holds of one data store.
type shelf struct{}

func (c *Catalog) forget(string)     {}
func (c *Catalog) shut(string) error { return nil }
