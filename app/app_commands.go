package main

import "pochi/app/admin"

type appCommands struct {
	Add appAdd `cmd:"" help:"Register an app for somebody, as they can do it themselves under For developers, and print its secret, which nobody is told again. Hydra must run."`
}

type appAdd struct {
	Owner       string   `required:"" placeholder:"E-MAIL" help:"Whose app it is: a person of this wallet."`
	Name        string   `required:"" placeholder:"NAME" help:"What people see when it asks them for something."`
	RedirectURI []string `required:"" name:"redirect-uri" sep:"none" placeholder:"URL" help:"Where people come back to. May be repeated; all are on one host."`
	Public      bool     `help:"It runs on people's own devices, and can't keep a secret."`
}

func (c appAdd) Run(p *program) error {
	in := admin.NewApp{Owner: c.Owner, Name: c.Name, RedirectURIs: c.RedirectURI, Public: c.Public}
	return changeOne(p, func(client admin.Client) (admin.App, error) { return client.AddApp(p.ctx, in) })
}
