// Package views holds every page of the wallet as templ components.
//
// A page is a function of a [Page] (who looks, at what, with which CSRF token)
// and of one plain struct of finished strings: amounts, dates and sentences
// arrive formatted, nothing is computed here and nothing of the rest of the
// program is imported. Each page works without JavaScript; htmx attributes
// only make it livelier, and the same component answers both.
//
// Form pages take back what was typed together with [Errors], and show each
// message beside its field and in a summary above the form.
package views
