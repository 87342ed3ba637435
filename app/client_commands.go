package main

import (
	"pochi/app/admin"
	"pochi/app/oauth"
)

type clientCommands struct {
	Add    clientAdd    `cmd:"" help:"Add a client and print its secret, which nobody is told again. It gets its tokens from Hydra with the grant client_credentials, its scopes, and this wallet's POCHI_PUBLIC_URL as audience."`
	List   clientList   `cmd:"" help:"List the clients, an object a line."`
	Remove clientRemove `cmd:"" help:"Remove a client: its tokens are worth nothing from then on."`
}

type clientAdd struct {
	Name   string        `arg:"" help:"What to call it."`
	Scopes []oauth.Scope `required:"" placeholder:"SCOPE" help:"What it may do: admin:read, admin:write."`
}

type clientList struct{}

type clientRemove struct {
	Name string `arg:"" help:"Its name or its id."`
}

func (c clientAdd) Run(p *program) error {
	return changeOne(p, func(client admin.Client) (admin.OAuthClient, error) { return client.AddClient(p.ctx, c.Name, c.Scopes) })
}

func (clientList) Run(p *program) error {
	return changeWith(withAdmin, p, func(client admin.Client) ([]admin.OAuthClient, error) { return client.ListClients(p.ctx) })
}

func (c clientRemove) Run(p *program) error {
	return changeOne(p, func(client admin.Client) (admin.OAuthClient, error) { return client.RemoveClient(p.ctx, c.Name) })
}
