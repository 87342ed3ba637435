package server

import (
	"context"
	"errors"

	"pochi/app/admin"
	"pochi/app/apps"
	"pochi/app/problem"
	"pochi/app/users"
)

// registrations registers apps for admins: it implements admin.Apps.
type registrations struct {
	users *users.Service
	apps  *apps.Service
}

// Register implements admin.Apps.
func (r registrations) Register(ctx context.Context, in admin.NewApp) (admin.App, error) {
	owner, err := r.users.FindByEmail(ctx, in.Owner)
	if err != nil {
		return admin.App{}, err
	}
	a, secret, err := r.apps.Register(ctx, owner.ID, apps.Form{Name: in.Name, Confidential: !in.Public, RedirectURIs: in.RedirectURIs})
	if err != nil {
		return admin.App{}, underAppFlags(err)
	}
	if a.Confidential && secret == "" {
		return admin.App{}, problem.New(problem.Unavailable,
			"Hydra doesn't answer. The app is registered when it does; its owner can make a secret for it then, under For developers.")
	}
	return admin.App{ID: a.ID, Name: a.Name, Owner: owner.Email, RedirectURIs: a.RedirectURIs, Secret: secret}, nil
}

// underAppFlags names what is wrong as the command's flags are named.
func underAppFlags(err error) error {
	var all problem.Errors
	if !errors.As(err, &all) {
		return err
	}
	named := make(problem.Errors, len(all))
	for i, each := range all {
		renamed := *each
		if renamed.Field == "redirect_uris" {
			renamed.Field = "redirect-uri"
		}
		named[i] = &renamed
	}
	return named
}
