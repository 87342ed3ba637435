package views

// allowable tells whether there is something to allow: an agreement needs an
// account that pays.
func (c ConsentPage) allowable() bool { return c.Agreement == nil || len(c.Agreement.Accounts) > 0 }
