package views

// DeveloperApp is an app as its developer sees it.
type DeveloperApp struct {
	ID           string // client_id
	App          AppMark
	Confidential bool
	RedirectURIs []string
	PolicyURL    string // "" for none
	TermsURL     string // "" for none
	Agreements   string // "3 agreements, 2 of them can be used"
	Created      Moment
	SecretMade   Moment // zero for never
	LastUsed     Moment // zero for never
	Unsettled    bool   // Hydra hasn't been told yet what is here
	Deleting     bool   // deleted here, and not yet at Hydra
}

// kind is how the app is registered, for people.
func (a DeveloperApp) kind() string {
	if a.Confidential {
		return "Confidential"
	}
	return "Public"
}

// path of the app's page.
func (a DeveloperApp) path() string { return "/developers/apps/" + a.ID }

// DeveloperPage is where developers begin.
type DeveloperPage struct {
	Apps      []DeveloperApp
	Discovery string // URL of the OpenID Connect discovery document
}

// AppForm registers an app or changes one. Fields posted to /developers/apps, or to
// /developers/apps/ID: name, kind (only when it is registered), redirect_uris,
// policy_url, terms_url.
type AppForm struct {
	ID           string // "" for a new one
	Current      string // its name now
	Name         string
	Kind         string // KindConfidential or KindPublic
	RedirectURIs string // one a line
	PolicyURL    string
	TermsURL     string
	Errors       Errors
}

// KindConfidential and KindPublic are the values of the field "kind".
const (
	KindConfidential = "confidential"
	KindPublic       = "public"
)

// action is where the form is posted to.
func (f AppForm) action() string {
	if f.ID == "" {
		return "/developers/apps"
	}
	return "/developers/apps/" + f.ID
}

// AppShow is the page of one app. A logo is posted to /developers/apps/ID/logo.
type AppShow struct {
	DeveloperApp
	Scopes []ScopeLine
	Errors Errors // of the logo's form
}

// ScopeLine is something that an app may ask for.
type ScopeLine struct {
	Scope string
	Words string
}

// AppSecret tells a secret, once.
type AppSecret struct {
	DeveloperApp
	Secret string
	First  bool // the app was just registered
}

// AppQuestion asks whether something is meant that can't be taken back.
type AppQuestion struct {
	DeveloperApp
	Effects []string // sentences
}
