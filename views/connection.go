package views

import "net/url"

// Connection is an app that was allowed to know or do something without spending.
type Connection struct {
	ID      string // of the OAuth client
	App     AppMark
	Since   Moment
	Can     []string // sentences
	Effects []string // sentences: what happens when it is disconnected
}

// path of the page that asks whether the app is to be disconnected, and of its form.
func (c Connection) path() string { return "/agreements/connected/" + url.PathEscape(c.ID) }

// ConnectionList is the page of all connected apps.
type ConnectionList struct {
	Apps    []Connection
	Problem string // why they can't be listed, "" for none
}
