package users

import (
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"pochi/app/names"
	"pochi/app/problem"

	"golang.org/x/text/unicode/norm"
)

// Bounds of what people type, in characters; of the e-mail in bytes (RFC 5321
// section 4.5.3.1).
const (
	NameMax     = 60
	EmailMax    = 254
	PasswordMin = 10
	PasswordMax = 200

	emailLocalMax = 64
	hostLabelMax  = 63
)

// validate returns what was typed in the form that is stored, and what is
// wrong with it: nil for nothing. Pointer and currency are the Opener's.
func (in SignUp) validate() (SignUp, problem.Errors) {
	in.Name = strings.TrimSpace(in.Name)
	in.Email = foldEmail(in.Email)
	var errs problem.Errors
	for _, err := range []*problem.Error{
		wrongName(in.Name),
		wrongEmail(in.Email),
		wrongPassword(in.Password, in.Email, in.Name, in.Pointer),
	} {
		if err != nil {
			errs = append(errs, err)
		}
	}
	return in, errs
}

func wrongName(name string) *problem.Error {
	switch {
	case name == "":
		return problem.Field("name", "Enter your name: people see it when they pay you.")
	case utf8.RuneCountInString(name) > NameMax:
		return problem.Field("name", "Use at most %d characters.", NameMax)
	case !names.Legible(name):
		return problem.Field("name", "Use letters, digits and signs that can be seen.")
	case names.Official(name):
		return problem.Field("name", "This would pass for the wallet itself. Enter the name that people know you by.")
	}
	return nil
}

// foldEmail makes one of what is typed in different ways: with capitals, with
// full-width letters.
func foldEmail(text string) string { return strings.ToLower(strings.TrimSpace(norm.NFKC.String(text))) }

// wrongEmail wants a bare address that mail could be sent to.
func wrongEmail(email string) *problem.Error {
	if !validEmail(email) {
		return problem.Field("email", "Enter an e-mail address like ann@example.org.")
	}
	return nil
}

func validEmail(email string) bool {
	unseen := func(r rune) bool { return !unicode.IsGraphic(r) || unicode.IsSpace(r) || r == utf8.RuneError }
	if len(email) > EmailMax || strings.ContainsFunc(email, unseen) {
		return false
	}
	parsed, err := mail.ParseAddress(email)
	if err != nil || parsed.Address != email { // with a name, quotes or comments
		return false
	}
	at := strings.LastIndexByte(email, '@')
	return at <= emailLocalMax && validHost(email[at+1:])
}

func validHost(host string) bool {
	if host == "localhost" {
		return true
	}
	labels := strings.Split(host, ".")
	for _, label := range labels {
		if label == "" || len(label) > hostLabelMax || label[0] == '-' || label[len(label)-1] == '-' {
			return false
		}
		if strings.ContainsFunc(label, func(r rune) bool { return r != '-' && !unicode.In(r, unicode.L, unicode.M, unicode.N) }) {
			return false
		}
	}
	last := labels[len(labels)-1]
	return len(labels) > 1 && strings.ContainsFunc(last, unicode.IsLetter) // not an IP address
}

// wrongPassword knows what the person said about themselves: they, and who
// wants to be them, think of that first.
func wrongPassword(password string, about ...string) *problem.Error {
	switch length := utf8.RuneCountInString(password); {
	case length < PasswordMin:
		return problem.Field("password", "Use at least %d characters.", PasswordMin)
	case length > PasswordMax:
		return problem.Field("password", "Use at most %d characters.", PasswordMax)
	case guessable(password, about):
		return problem.Field("password",
			"This password is easy to guess: try four or five words that have nothing to do with each other.")
	}
	return nil
}
