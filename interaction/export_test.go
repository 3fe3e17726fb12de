package interaction

import "time"

// SetNow gives the packages a clock.
func (p *Packages) SetNow(now func() time.Time) { p.now = now }
