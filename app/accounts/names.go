package accounts

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"pochi/app/names"
	"pochi/app/problem"
	"pochi/db"

	"github.com/google/uuid"
)

// Bounds of a pointer's name, in characters, and of an account's, in runes.
const (
	NameMin        = 3
	NameMax        = 30
	AccountNameMax = 40
)

// reserved are names that are, or could become, pages of the wallet, or that
// would let somebody pass for it.
var reserved = []string{
	"about", "account", "accounts", "add-money", "admin", "administrator", "agreement", "agreements", "api", "app", "apps",
	"assets", "auth", "bank", "billing", "blog", "charges", "connect", "consent", "contact", "dashboard", "demo", "deposit",
	"developer", "developers", "docs", "export", "faq", "favicon", "health", "healthz", "help", "history", "home", "hydra",
	"ilp", "incoming", "info", "legal", "login", "logout", "mail", "mailbox", "manifest", "me", "metrics", "money", "new",
	"notices", "notifications", "oauth", "oauth2", "official", "openid", "outgoing-payments", "incoming-payments", "pay",
	"payment", "payments", "peer", "peers", "pochi", "pointer", "pointers", "postmaster", "privacy", "profile", "quotes",
	"rates", "receive", "register", "requests", "reset", "robots", "root", "search", "security", "send", "session",
	"sessions", "settings", "signin", "signout", "signup", "static", "statement", "statements", "status", "support",
	"system", "team", "terms", "token", "transactions", "transfers", "user", "users", "verify", "wallet", "webhooks",
	"webmaster", "welcome", "well-known", "www",
}

// ParseName returns a pointer's name in lower case. The refusal belongs to the
// named form field.
func ParseName(field, name string) (string, *problem.Error) {
	name = foldName(name)
	switch {
	case name == "":
		return "", problem.Field(field, "Choose a name for your payment pointer.")
	case !onlyNameCharacters(name):
		return "", problem.Field(field, "Use only letters a to z, digits and hyphens.")
	case len(name) < NameMin || len(name) > NameMax:
		return "", problem.Field(field, "Use %d to %d characters.", NameMin, NameMax)
	case name[0] < 'a' || name[0] > 'z' || strings.HasSuffix(name, "-") || strings.Contains(name, "--"):
		return "", problem.Field(field, "Start with a letter; hyphens stand alone and not at the end.")
	case slices.Contains(reserved, name):
		return "", problem.Field(field, "This name is reserved. Try another.")
	}
	return name, nil
}

func foldName(name string) string { return strings.ToLower(strings.TrimSpace(name)) }

func onlyNameCharacters(name string) bool {
	return strings.IndexFunc(name, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-'
	}) < 0
}

func trimmed(name string) string { return strings.Join(strings.Fields(name), " ") }

// validName checks what a person calls an account.
func validName(name string) *problem.Error {
	name = trimmed(name)
	switch {
	case name == "":
		return problem.Field("name", "Give the account a name.")
	case utf8.RuneCountInString(name) > AccountNameMax:
		return problem.Field("name", "Use at most %d characters.", AccountNameMax)
	case !names.Legible(name):
		return problem.Field("name", "Use letters, digits and signs that can be seen.")
	}
	return nil
}

// freeName is the word, with the least number that makes it a name that none of
// the person's accounts has, open or closed.
func freeName(ctx context.Context, tx db.Tx, userID uuid.UUID, word string) (string, error) {
	rows, err := tx.QueryContext(ctx, "SELECT name FROM wallet_accounts WHERE user_id = ?", userID[:])
	if err != nil {
		return "", err
	}
	defer rows.Close()
	taken := map[string]bool{}
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return "", err
		}
		taken[name] = true
	}
	name := word
	for n := 2; taken[name]; n++ {
		name = fmt.Sprintf("%s %d", word, n)
	}
	return name, rows.Err()
}
