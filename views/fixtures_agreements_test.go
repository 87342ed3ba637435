package views_test

import "pochi/views"

func moment(text, iso string) views.Moment { return views.Moment{Text: text, ISO: iso} }

// logo stands for one that was uploaded.
const logo = "static/icons/pochi.svg"

func monthly() views.AgreementRow {
	return views.AgreementRow{
		ID: "g1", App: views.AppMark{Name: "Flower Shop", Logo: logo}, Description: "A bunch of flowers every week", State: views.AgreementActive,
		Use: views.Use{
			Limit: eur("€12.00"), Per: "a month", Used: eur("€3.00"), Left: eur("€9.00"), Percent: 25,
			Renews: moment("1 December 2026 UTC", "2026-12-01T00:00:00Z"),
		},
		LastUsed: moment("20 November 2026, 14:05 UTC", "2026-11-20T14:05:00Z"),
	}
}

func agreementRows() []views.AgreementRow {
	near, full, paused, waiting, long := monthly(), monthly(), monthly(), monthly(), monthly()
	near.ID, near.App, near.Use.Used, near.Use.Left, near.Use.Percent = "g2", views.AppMark{Name: "Radio"}, eur("€10.00"), eur("€2.00"), 83
	near.Description = ""
	full.ID, full.App, full.Use.Used, full.Use.Left, full.Use.Percent = "g3", views.AppMark{Name: "Tip jar"}, eur("€12.00"), eur("€0.00"), 100
	full.Use.Per, full.Use.Renews, full.Use.Exactly = "an hour", moment("22 November 2026, 15:00 UTC", "2026-11-22T15:00:00Z"), true
	paused.ID, paused.State, paused.Unused, paused.App = "g4", views.AgreementPaused, true, views.AppMark{Name: "Newspaper"}
	paused.LastUsed, paused.Use.Used, paused.Use.Percent, paused.Use.Left = views.Moment{}, eur("€0.00"), 0, eur("€12.00")
	waiting.ID, waiting.State, waiting.LastUsed = "g5", views.AgreementWaiting, views.Moment{}
	long.ID, long.App.Name = "g6", "An app with a name that is as long as names can be, really!!"
	long.Description = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
	long.Use = views.Use{
		Limit: usd("$92,233,720,368,547,758.07"), Per: "every 2 weeks and 3 days, 12 times",
		Used: usd("$46,233,720,368,547,758.07"), Left: usd("$46,000,000,000,000,000.00"), Percent: 50,
	}
	long.Ends = moment("31 January 2027 UTC", "2027-01-31T00:00:00Z")
	return []views.AgreementRow{monthly(), near, full, paused, waiting, long}
}

func endedRows() []views.AgreementRow {
	once, expired := monthly(), monthly()
	once.ID, once.State, once.Use.Per, once.Ended = "g7", views.AgreementOver, "in all", moment("3 November 2026, 09:00 UTC", "2026-11-03T09:00:00Z")
	expired.ID, expired.App, expired.State = "g8", views.AppMark{Name: "A magazine with a rather long name"}, views.AgreementExpired
	expired.Ended = moment("1 October 2026, 00:00 UTC", "2026-10-01T00:00:00Z")
	return []views.AgreementRow{once, expired}
}

func agreementPage() views.AgreementPage {
	return views.AgreementPage{
		AgreementRow: monthly(), Account: "Everyday", AccountID: "a1",
		Can: []string{
			"Spend up to €12.00 EUR a month from Everyday.", "Pay €5.00 EUR at most at a time.", "Pay $shop.example/flowers.",
			"Go on until you revoke it.",
		},
		Cannot: []string{
			"Spend more than that, or raise the limit.", "Keep what is left for the next time.", "Pay anybody else.",
			"See your balance or your other payments.",
		},
		Events: []views.AgreementEvent{
			{Text: "Flower Shop asked for €20.00 EUR a month.", At: moment("1 November 2026, 10:00 UTC", "2026-11-01T10:00:00Z")},
			{Text: "You allowed €15.00 EUR a month.", At: moment("1 November 2026, 10:02 UTC", "2026-11-01T10:02:00Z")},
			{Text: "You lowered the limit to €12.00 EUR.", At: moment("4 November 2026, 08:30 UTC", "2026-11-04T08:30:00Z")},
		},
		Days: days()[1:],
	}
}

func notice(here bool) views.AgreementNotice {
	return views.AgreementNotice{
		AgreementID: "g2", Text: "Radio has used €10.00 EUR of €12.00 EUR a month.", Period: "3", Kind: "near", Next: "/", Here: here,
	}
}

func agreementScenes() []scene {
	page := func(name string, change func(*views.AgreementPage), amount ...string) scene {
		a := agreementPage()
		change(&a)
		return scene{name: name, page: views.Agreement(ann(a.App.Name, views.NavApps), a), amount: amount}
	}
	lower := views.AgreementLower{ID: "g1", App: views.AppMark{Name: "Flower Shop"}, Use: monthly().Use}
	raised := lower
	raised.Amount, raised.Errors = "20", views.Errors{"amount": "You can lower the amount, not raise it: it is €12.00\u00a0EUR."}
	return []scene{
		{name: "agreements", page: views.Agreements(ann("Apps & agreements", views.NavApps), views.AgreementList{Current: agreementRows(), Ended: endedRows()}),
			amount: []string{"€12.00 EUR a month", "€3.00 EUR used", "€9.00 EUR left", "Renews on 1 December 2026", "Not used for 60 days", "Never used", "Ended"}},
		{name: "agreements-none", page: views.Agreements(ann("Apps & agreements", views.NavApps), views.AgreementList{})},
		{name: "agreements-ended", page: views.Agreements(ann("Apps & agreements", views.NavApps), views.AgreementList{Ended: endedRows()})},
		page("agreement", func(*views.AgreementPage) {}, "€12.00 EUR a month", "€3.00 EUR used", "You lowered the limit"),
		page("agreement-new", func(a *views.AgreementPage) { a.Days, a.LastUsed = nil, views.Moment{} }, "Nothing paid yet"),
		page("agreement-near", func(a *views.AgreementPage) {
			a.AgreementRow, a.Notices = agreementRows()[1], []views.AgreementNotice{notice(true)}
		}, "Radio has used €10.00 EUR of €12.00 EUR a month."),
		page("agreement-reached", func(a *views.AgreementPage) { a.AgreementRow = agreementRows()[2] }, "€0.00 EUR left", "15:00 UTC"),
		page("agreement-paused", func(a *views.AgreementPage) { a.State = views.AgreementPaused }, "Resume"),
		page("agreement-waiting", func(a *views.AgreementPage) { a.AgreementRow = agreementRows()[4] }, "Begins on 1 December 2026"),
		page("agreement-long", func(a *views.AgreementPage) { a.AgreementRow = agreementRows()[5] }, "every 2 weeks and 3 days, 12 times"),
		page("agreement-revoked", func(a *views.AgreementPage) {
			a.State, a.Ended = views.AgreementRevoked, moment("3 November 2026, 09:00 UTC", "2026-11-03T09:00:00Z")
		}, "It could", "Revoked", "It ended on 3 November 2026, 09:00 UTC."),
		page("agreement-revoked-unused", func(a *views.AgreementPage) { a.State, a.Days = views.AgreementRevoked, nil }, "Nothing was ever paid"),
		page("agreement-older", func(a *views.AgreementPage) { a.Later, a.Older = true, "c/2=" }),
		{name: "agreement-lower", page: views.LowerAgreement(ann("Lower the limit", views.NavApps), lower), amount: []string{"€12.00 EUR a month"}},
		{name: "agreement-lower-errors", page: views.LowerAgreement(ann("Lower the limit", views.NavApps), raised)},
		{name: "agreement-revoke", page: views.RevokeAgreement(ann("Revoke Flower Shop?", views.NavApps), views.AgreementRevoke{
			ID: "g1", App: views.AppMark{Name: "Flower Shop"}, Use: monthly().Use,
			Effects: []string{
				"Flower Shop can't spend anything under it any more, at once. It isn't asked, and needn't be reachable.",
				"Payments that were made stay as they are, and one on its way may still arrive.",
			},
		}), amount: []string{"€12.00 EUR a month"}},
		{name: "connections", page: views.Connections(ann("Connected apps", views.NavApps), views.ConnectionList{Apps: []views.Connection{
			{ID: "c1", App: views.AppMark{Name: "Flower Shop", Logo: logo}, Since: moment("1 November 2026 UTC", "2026-11-01T10:00:00Z"),
				Can: []string{"Recognise you when you come back.", "See your accounts and what is in them."}},
			{ID: "c2", App: views.AppMark{Name: "Radio"}, Since: moment("1 November 2026 UTC", "2026-11-01T10:00:00Z"), Can: []string{"Recognise you when you come back."}},
		}}), amount: []string{"Flower Shop", "See your accounts"}},
		{name: "connections-none", page: views.Connections(ann("Connected apps", views.NavApps), views.ConnectionList{})},
		{name: "connections-unknown", page: views.Connections(ann("Connected apps", views.NavApps), views.ConnectionList{Problem: "The part of the wallet that connects apps doesn't answer."})},
		{name: "connection-end", page: views.Disconnect(ann("Disconnect Radio?", views.NavApps), views.Connection{
			ID: "c2", App: views.AppMark{Name: "Radio"}, Effects: []string{"It can't see or do anything for you any more, until you allow it again."},
		}), amount: []string{"Disconnect Radio?"}},
		{name: "home-notices", page: views.Home(ann("Home", views.NavHome), views.HomePage{
			Accounts: []views.AccountCard{{ID: "a1", Name: "Everyday", Balance: usd("$1,240.50")}},
			Pointer:  "$localhost:3000/ann", PayURL: "http://localhost:3000/ann", Days: days(),
			Notices: []views.AgreementNotice{notice(false), {
				AgreementID: "g3", Text: "Tip jar has used up its €12.00 EUR an hour. It can spend again from 22 November 2026, 15:00 UTC.", Period: "8", Kind: "reached", Next: "/",
			}},
		}), amount: []string{"Radio has used", "Tip jar has used up"}},
	}
}
