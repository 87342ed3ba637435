package views_test

import "pochi/views"

func requestScenes() []scene {
	created := views.Moment{Text: "21 November 2026, 14:05:02 UTC", ISO: "2026-11-21T14:05:02Z"}
	expires := views.Moment{Text: "28 November 2026, 14:05:02 UTC", ISO: "2026-11-28T14:05:02Z"}
	list := views.RequestList{
		Accounts: accountOptions, Lifetimes: []views.Option{{Value: "", Label: "Never"}, {Value: "week", Label: "In a week"}},
		Requests: []views.RequestRow{
			{ID: "r1", Amount: usd("$25.00"), Description: "Dinner on Friday", State: views.RequestOpen, Created: created},
			{ID: "r2", Amount: usd("$1,200.00"), Description: "Rent for November, with the heating of October and what was left of September", State: views.RequestOpen, Received: usd("$800.00"), Created: created},
			{ID: "r3", Amount: usd("$25.00"), Description: "Order 17", App: true, State: views.RequestCompleted, Received: usd("$25.00"), Created: created},
			{ID: "r4", State: views.RequestCancelled, Received: usd("$7.00"), Created: created},
			{ID: "r5", State: views.RequestExpired, Created: created},
		},
		Older: "c",
	}
	wrong := list
	wrong.Amount, wrong.Expires, wrong.Errors = "25,000.001", "week", views.Errors{"amount": "USD has 2 decimals at most.", "description": "Use at most 200 characters."}
	open := views.RequestShow{
		ID: "r1", URL: "https://wallet.example/requests/019aa7f2-6a4e-7c11-9f5e-3f1f0b0e8f11", QR: views.QR{Size: 3, Path: "M0 0h1v1h-1z"},
		State: views.RequestOpen, Amount: usd("$25.00"), Most: usd("$25.25"), Description: "Dinner on Friday", Account: "Everyday", AccountID: "a1",
		Created: created, Expires: expires,
	}
	partly := open
	partly.Received, partly.Days = usd("$7.25"), days()[:1]
	paid := open
	paid.State, paid.Received, paid.Days, paid.More, paid.App = views.RequestCompleted, usd("$25.00"), days(), true, true
	cancelled := open
	cancelled.State, cancelled.Amount, cancelled.Most, cancelled.Description, cancelled.Cancelled = views.RequestCancelled, views.Money{}, views.Money{}, "", created
	pay := views.RequestPay{
		ID: "r1", URL: open.URL, Name: "Ann", State: views.RequestOpen, Amount: usd("$25.00"), Left: usd("$25.00"), Description: "Dinner on Friday",
		Currency: "US dollar (USD)", Expires: expires, SendURL: "/send?to=x",
	}
	rest := pay
	rest.Received, rest.Left, rest.Description = usd("$7.25"), usd("$17.75"), "Rent for November, with the heating of October and what was left of September, and thank you very much for the flowers"
	any := pay
	any.Amount, any.Left, any.Expires = views.Money{}, views.Money{}, views.Moment{}
	in := func(state views.RequestState) views.RequestPay { p := pay; p.State = state; return p }
	return []scene{
		{name: "requests", page: views.Requests(ann("Request money", views.NavNone), list), amount: []string{"$25.00 USD"}},
		{name: "requests-none", page: views.Requests(ann("Request money", views.NavNone), views.RequestList{Accounts: accountOptions, Lifetimes: list.Lifetimes})},
		{name: "requests-end", page: views.Requests(ann("Request money", views.NavNone), views.RequestList{Accounts: accountOptions, Lifetimes: list.Lifetimes, Later: true})},
		{name: "requests-errors", page: views.Requests(ann("Request money", views.NavNone), wrong)},
		{name: "request", page: views.Request(flashed(ann("Payment request", views.NavNone), "The request is made. Send its link to whoever is to pay."), open), amount: []string{"$25.00 USD", "Nothing yet", "At most $25.25 USD"}},
		{name: "request-partly", page: views.Request(ann("Payment request", views.NavNone), partly), amount: []string{"$7.25 USD", "Paid in part"}},
		{name: "request-paid", page: views.Request(ann("Payment request", views.NavNone), paid), amount: []string{"Paid"}},
		{name: "request-cancelled", page: views.Request(ann("Payment request", views.NavNone), cancelled), amount: []string{"Any amount", "Cancelled"}},
		{name: "request-pay", page: views.PayRequest(nobody("Pay Ann"), pay), amount: []string{"$25.00 USD", "Log in to pay"}},
		{name: "request-pay-rest", page: views.PayRequest(ann("Pay Ann", views.NavNone), rest), amount: []string{"$7.25 USD has been paid, $17.75 USD is left."}},
		{name: "request-pay-any", page: views.PayRequest(nobody("Pay Ann"), any), amount: []string{"Any amount"}},
		{name: "request-pay-paid", page: views.PayRequest(nobody("Pay Ann"), in(views.RequestCompleted)), amount: []string{"This request has been paid."}},
		{name: "request-pay-expired", page: views.PayRequest(nobody("Pay Ann"), in(views.RequestExpired))},
		{name: "request-pay-cancelled", page: views.PayRequest(nobody("Pay Ann"), in(views.RequestCancelled))},
		{name: "send-request", page: views.Send(ann("Send money", views.NavSend), views.SendForm{
			To: open.URL, Payee: views.Payee{Name: "Ben", Currency: "EUR", Asks: eur("€18.40"), What: "Dinner on Friday"}, Accounts: accountOptions,
		}), amount: []string{"asks for €18.40 EUR", "Dinner on Friday"}},
	}
}
