package views_test

import (
	"strings"

	"github.com/a-h/templ"

	"pochi/views"
)

// scene is a page in one state, as the gallery renders it.
type scene struct {
	name   string
	page   templ.Component
	amount []string // texts that must be shown
}

// gallery is where the pages of the fixtures get their static files from.
type gallery struct{}

func (gallery) URL(name string) string { return "static/" + name }

// usd, eur and jpy are amounts of a currency.
func usd(text string) views.Money { return views.Money{Text: text, Code: "USD"} }
func eur(text string) views.Money { return views.Money{Text: text, Code: "EUR"} }
func jpy(text string) views.Money { return views.Money{Text: text, Code: "JPY"} }

func nobody(title string) views.Page {
	return views.Page{Title: title, CSRF: "token", Dev: true, Assets: gallery{}}
}

func ann(title string, nav views.Nav) views.Page {
	return views.Page{Title: title, Person: "Ann", CSRF: "token", Dev: true, Nav: nav, Assets: gallery{}}
}

func flashed(p views.Page, text string) views.Page {
	p.Flash = text
	return p
}

var currencies = []views.Option{
	{Value: "USD", Label: "US dollar (USD)"}, {Value: "EUR", Label: "Euro (EUR)"},
	{Value: "GBP", Label: "Pound sterling (GBP)"}, {Value: "JPY", Label: "Japanese yen (JPY)"},
	{Value: "KES", Label: "Kenyan shilling (KES)"}, {Value: "MXN", Label: "Mexican peso (MXN)"},
}

var accountOptions = []views.Option{
	{Value: "a1", Label: "Everyday · $1,240.50 USD"}, {Value: "a2", Label: "Holiday · ¥52,000 JPY"},
}

func days() []views.Day {
	return []views.Day{
		{Label: "Today", Movements: []views.Movement{
			{ID: "p3", URL: "/payments/p3", Who: "Ben", Detail: "$localhost:3000/ben", Amount: usd("−$20.00"), State: "Sending", Time: views.Moment{Text: "14:05 UTC", ISO: "2026-11-21T14:05:00Z"}},
			{ID: "p5", URL: "/payments/p5", Who: "Cho", Detail: "$wallet.example/cho", Amount: usd("−$30.00"), State: "Needs review", Time: views.Moment{Text: "13:50 UTC", ISO: "2026-11-21T13:50:00Z"}},
			{ID: "p4", URL: "/payments/p4", Who: "Cho", Detail: "$wallet.example/cho", Amount: usd("−$5.00"), State: "Being checked", Time: views.Moment{Text: "13:40 UTC", ISO: "2026-11-21T13:40:00Z"}},
			{ID: "p6", URL: "/payments/p6?side=in", In: true, Paid: "$localhost:3000/ann", Detail: "12 packets", Amount: usd("+$17.62"), Time: views.Moment{Text: "12:10 UTC", ISO: "2026-11-21T12:10:00Z"}},
			{ID: "p2", URL: "/payments/p2", In: true, Who: "Ben", Detail: "$localhost:3000/ben", Amount: usd("+$7.25"), Time: views.Moment{Text: "11:40 UTC", ISO: "2026-11-21T11:40:00Z"}},
		}},
		{Label: "Yesterday", Movements: []views.Movement{
			{ID: "p1", URL: "/payments/p1", Who: "Ben", Detail: "$localhost:3000/ben", Amount: usd("−$12.50"), State: "Failed", Void: true, Time: views.Moment{Text: "18:22 UTC", ISO: "2026-11-20T18:22:00Z"}},
			{ID: "p0", URL: "/payments/p0", Who: "A florist with a rather long name", Detail: "$a-very-long-host-name.wallet.example/flowers-and-more", Amount: jpy("−¥48,000"), Time: views.Moment{Text: "09:02 UTC", ISO: "2026-11-20T09:02:00Z"}},
			{ID: "d0", URL: "/payments/d0?side=in", In: true, Who: "Test money", Amount: usd("+$1,265.75"), Time: views.Moment{Text: "09:00 UTC", ISO: "2026-11-20T09:00:00Z"}},
		}},
	}
}

func quote() views.QuotePage {
	return views.QuotePage{
		ID: "q1", Send: usd("$20.00"), Receive: eur("€18.40"), Rate: "1 USD = 0.92 EUR", Fee: "None",
		Payee: "Ben", Pointer: "$localhost:3000/ben", Account: "Everyday",
		Expires: views.Moment{Text: "14:07:30 UTC", ISO: "2026-11-21T14:07:30Z"}, SecondsLeft: 150,
		ChangeURL: "/send?to=%24localhost%3A3000%2Fben",
	}
}

func payment(state views.PaymentState) views.PaymentPage {
	return views.PaymentPage{
		ID: "019aa7f2-6a4e-7c11-9f5e-3f1f0b0e8f11", State: state, Who: "Ben", Pointer: "$localhost:3000/ben",
		Account: "Everyday", AccountID: "a1", Asked: usd("$20.00"), Sent: usd("$20.00"), Received: eur("€18.40"),
		Rate: "1 USD = 0.92 EUR", Fee: "None",
		Started: views.Moment{Text: "21 November 2026, 14:05:02 UTC", ISO: "2026-11-21T14:05:02Z"},
		Ended:   views.Moment{Text: "21 November 2026, 14:05:03 UTC", ISO: "2026-11-21T14:05:03Z"},
	}
}

func scenes() []scene {
	var all []scene
	for _, some := range [][]scene{peopleScenes(), accountScenes(), requestScenes(), sendingScenes(), paymentScenes(), appScenes(), agreementScenes(), developerScenes(), errorScenes()} {
		all = append(all, some...)
	}
	return all
}

func peopleScenes() []scene {
	signup := views.SignupForm{Host: "localhost:3000", Currencies: currencies, Currency: "USD"}
	refused := views.SignupForm{
		Host: "localhost:3000", Name: "Ann", Email: "ann@", Pointer: "admin", Currency: "EUR", Currencies: currencies,
		App: "Flower Shop", Challenge: "c1", Next: "/send",
		Errors: views.Errors{
			"email":     "Enter a whole e-mail address, such as ann@example.com.",
			"password":  "This password is among the most common ones. Choose another.",
			"pointer":   "This name is reserved. Choose another.",
			"elsewhere": "The form is not complete.",
		},
	}
	return []scene{
		{name: "landing", page: views.Landing(nobody(""))},
		{name: "signup", page: views.Signup(nobody("Sign up"), signup)},
		{name: "signup-errors", page: views.Signup(nobody("Sign up"), refused)},
		{name: "login", page: views.Login(nobody("Log in"), views.LoginForm{})},
		{name: "login-errors", page: views.Login(nobody("Log in"), views.LoginForm{
			Email: "ann@example.com", App: "Flower Shop", Challenge: "c1", Next: "/accounts",
			Errors: views.Errors{"": "The e-mail or the password is wrong."},
		})},
		{name: "home", page: views.Home(ann("Home", views.NavHome), views.HomePage{
			Accounts: []views.AccountCard{
				{ID: "a1", Name: "Everyday", Balance: usd("$1,240.50")},
				{ID: "a2", Name: "Holiday", Balance: jpy("¥52,000")},
				{ID: "a3", Name: "Euro", Balance: eur("€0.00")},
			},
			Pointer: "$localhost:3000/ann", PayURL: "http://localhost:3000/ann", Days: days(), More: "/accounts/a1",
		}), amount: []string{"$1,240.50 USD", "¥52,000 JPY", "+$7.25 USD"}},
		{name: "home-new", page: views.Home(flashed(ann("Home", views.NavHome), "Welcome, Ann. You can be paid at $localhost:3000/ann now."), views.HomePage{
			Accounts: []views.AccountCard{{ID: "a1", Name: "US dollar", Balance: usd("$0.00")}},
			Pointer:  "$localhost:3000/ann", PayURL: "http://localhost:3000/ann",
		}), amount: []string{"$0.00 USD"}},
		{name: "home-bare", page: views.Home(views.Page{Person: "Ann", CSRF: "token", Nav: views.NavHome, Assets: gallery{}}, views.HomePage{})},
		{name: "home-rich", page: views.Home(ann("Home", views.NavHome), views.HomePage{
			Accounts: []views.AccountCard{{ID: "a1", Name: "An account with a long name that somebody typed", Balance: usd("$92,233,720,368,547,758.07")}},
			Pointer:  "$a-very-long-host-name.wallet.example/a-long-name-too", PayURL: "http://localhost:3000/ann", Days: days(),
		}), amount: []string{"$92,233,720,368,547,758.07 USD"}},
	}
}

func accountScenes() []scene {
	rows := []views.AccountRow{
		{ID: "a1", Name: "Everyday", Asset: "US dollar", Balance: usd("$1,240.50"), ClosesOnce: "it is empty and no payment pointer pays it", Paid: true},
		{ID: "a2", Name: "Holiday", Asset: "Japanese yen", Balance: jpy("¥52,000"), ClosesOnce: "it is empty"},
		{ID: "a3", Name: "Euro", Asset: "Euro", Balance: eur("€0.00")},
	}
	show := views.AccountShow{
		ID: "a1", Name: "Everyday", Asset: "US dollar", Balance: usd("$1,240.50"),
		Pointers: []string{"$localhost:3000/ann"}, Days: days(), Older: "c/2=", Later: true,
	}
	pointers := views.PointerList{
		Host: "localhost:3000", Accounts: accountOptions,
		Pointers: []views.PointerRow{
			{ID: "n1", Pointer: "$localhost:3000/ann", PayURL: "http://localhost:3000/ann", AccountID: "a1"},
			{ID: "n2", Pointer: "$localhost:3000/ann-travels", PayURL: "http://localhost:3000/ann-travels", AccountID: "a2"},
		},
	}
	taken := pointers
	taken.Name, taken.Errors = "ben", views.Errors{"name": "Somebody else has this name. Choose another."}
	return []scene{
		{name: "accounts", page: views.Accounts(ann("Accounts", views.NavAccounts), views.AccountList{Accounts: rows, Currencies: currencies}), amount: []string{"$1,240.50 USD", "¥52,000 JPY", "€0.00 EUR"}},
		{name: "accounts-errors", page: views.Accounts(ann("Accounts", views.NavAccounts), views.AccountList{
			Accounts: rows[:1], Currencies: currencies, Currency: "JPY", Name: "Everyday",
			Errors: views.Errors{"name": "You have an account of that name."},
		})},
		{name: "accounts-closed", page: views.Accounts(ann("Accounts", views.NavAccounts), views.AccountList{
			Accounts: rows[1:], Currencies: currencies, Closed: []views.ClosedAccount{
				{ID: "a4", Name: "Wedding", Asset: "Pound sterling", Code: "GBP"},
				{ID: "a5", Name: "An account with a long name that somebody typed", Asset: "Kenyan shilling", Code: "KES"},
			},
		})},
		{name: "accounts-none", page: views.Accounts(ann("Accounts", views.NavAccounts), views.AccountList{Currencies: currencies})},
		{name: "account", page: views.Account(ann("Everyday", views.NavAccounts), show), amount: []string{"$1,240.50 USD", "−$20.00 USD"}},
		{name: "account-empty", page: views.Account(ann("Euro", views.NavAccounts), views.AccountShow{ID: "a3", Name: "Euro", Asset: "Euro", Balance: eur("€0.00")}), amount: []string{"€0.00 EUR"}},
		{name: "account-closed", page: views.Account(ann("Euro", views.NavAccounts), views.AccountShow{ID: "a3", Name: "Euro", Asset: "Euro", Balance: eur("€0.00"), Days: days(), Closed: true})},
		{name: "account-closed-empty", page: views.Account(ann("Euro", views.NavAccounts), views.AccountShow{ID: "a3", Name: "Euro", Asset: "Euro", Balance: eur("€0.00"), Closed: true})},
		{name: "account-end", page: views.Account(ann("Euro", views.NavAccounts), views.AccountShow{ID: "a3", Name: "Euro", Asset: "Euro", Balance: eur("€0.00"), Later: true})},
		{name: "account-edit", page: views.EditAccount(ann("Rename account", views.NavAccounts), views.AccountEdit{ID: "a1", Current: "Everyday", Name: "Everyday"})},
		{name: "account-edit-errors", page: views.EditAccount(ann("Rename account", views.NavAccounts), views.AccountEdit{ID: "a1", Current: "Everyday", Errors: views.Errors{"name": "Enter a name."}})},
		{name: "pointers", page: views.Pointers(flashed(ann("Payment pointers", views.NavPointers), "$localhost:3000/ann pays into Everyday now."), pointers)},
		{name: "pointers-errors", page: views.Pointers(ann("Payment pointers", views.NavPointers), taken)},
		{name: "pointers-none", page: views.Pointers(ann("Payment pointers", views.NavPointers), views.PointerList{Host: "localhost:3000", Accounts: accountOptions})},
		{name: "deposit", page: views.Deposit(ann("Add test money", views.NavHome), views.DepositForm{Accounts: accountOptions, Account: "a2"})},
		{name: "deposit-errors", page: views.Deposit(ann("Add test money", views.NavHome), views.DepositForm{Accounts: accountOptions, Amount: "-5", Errors: views.Errors{"amount": "Enter an amount above zero."}})},
	}
}

func sendingScenes() []scene {
	expired := quote()
	expired.Expired, expired.SecondsLeft = true, 0
	refused := quote()
	refused.Problem = "Everyday holds $12.00 USD, less than this payment needs. Nothing was taken."
	local := quote()
	local.Receive, local.Rate = usd("$20.00"), ""
	elsewhere := quote()
	elsewhere.Payee, elsewhere.Pointer = "$a-very-long-host-name.wallet.example/cho", "$a-very-long-host-name.wallet.example/cho"
	elsewhere.AtLeast, elsewhere.AtMost = true, true
	return []scene{
		{name: "send", page: views.Send(ann("Send money", views.NavSend), views.SendForm{Accounts: accountOptions})},
		{name: "send-filled", page: views.Send(ann("Send money", views.NavSend), views.SendForm{
			To: "$localhost:3000/ben", Payee: views.Payee{Name: "Ben", Currency: "EUR"},
			Accounts: accountOptions, Account: "a1", Amount: "20", Side: views.SideReceive,
		})},
		{name: "send-elsewhere", page: views.Send(ann("Send money", views.NavSend), views.SendForm{
			To: "$wallet.example/cho", Payee: views.Payee{Elsewhere: true}, Accounts: accountOptions, Account: "a1",
		})},
		{name: "send-typing", page: views.Send(ann("Send money", views.NavSend), views.SendForm{
			To: "$localhost:3000/be", Payee: views.Payee{Problem: "Nobody can be paid at this pointer. Check how it is written."}, Accounts: accountOptions,
		})},
		{name: "send-errors", page: views.Send(ann("Send money", views.NavSend), views.SendForm{
			To: "ben", Payee: views.Payee{}, Accounts: accountOptions, Account: "a1", Amount: "20.001",
			Errors: views.Errors{
				"to":     "This is not a payment pointer. One looks like $wallet.example/ben.",
				"amount": "US dollars have 2 decimals at most.",
				"side":   "Choose one.",
			},
		})},
		{name: "quote", page: views.Quote(ann("Confirm payment", views.NavSend), quote()), amount: []string{"$20.00 USD", "€18.40 EUR"}},
		{name: "quote-local", page: views.Quote(ann("Confirm payment", views.NavSend), local), amount: []string{"$20.00 USD"}},
		{name: "quote-elsewhere", page: views.Quote(ann("Confirm payment", views.NavSend), elsewhere), amount: []string{"at most $20.00 USD", "at least €18.40 EUR"}},
		{name: "quote-refused", page: views.Quote(ann("Confirm payment", views.NavSend), refused)},
		{name: "quote-expired", page: views.Quote(ann("Quote expired", views.NavSend), expired), amount: []string{"$20.00 USD", "€18.40 EUR"}},
	}
}

func paymentScenes() []scene {
	sending := payment(views.PaymentSending)
	sending.Promised, sending.Sent, sending.Received, sending.Ended = eur("€18.40"), usd("$0.00"), eur("€0.00"), views.Moment{}
	partly := payment(views.PaymentPartly)
	partly.Sent, partly.Received = usd("$12.00"), eur("€11.04")
	partly.Reason, partly.Where = "Ben's wallet stopped answering.", "$12.00 USD left Everyday and reached Ben, $8.00 USD stayed in Everyday."
	failed := payment(views.PaymentFailed)
	failed.Sent, failed.Received = usd("$0.00"), eur("€0.00")
	failed.Reason, failed.Where = "Ben's wallet didn't answer.", "Nothing was taken from Everyday."
	checking := payment(views.PaymentChecking)
	checking.Sent, checking.Received, checking.Checking, checking.Back = usd("$12.00"), eur("€11.04"), usd("$5.00"), usd("$3.00")
	checking.Reason = "The wallet was interrupted while a part of this payment was on its way to the other wallet."
	checking.Where = "$3.00 USD is back in Everyday. Whether $5.00 USD of it arrived is being checked with the other wallet. If it didn't, it comes back to Everyday."
	review := payment(views.PaymentReview)
	review.Sent, review.Received, review.Held, review.Ended = usd("$12.00"), eur("€11.04"), usd("$8.00"), views.Moment{}
	review.Reason = "This payment was on its way when this wallet's data was copied, and the wallet has gone back to that copy. We look into what became of it. Until then nothing more is sent."
	review.Where = "$8.00 USD stays reserved in Everyday."
	in := payment(views.PaymentCompleted)
	in.In, in.Paid, in.Rate, in.Fee, in.Received = true, "$localhost:3000/ann", "", "", usd("$7.25")
	unknown := in
	unknown.Who, unknown.Pointer, unknown.Packets = "", "", "12"
	elsewhere := sending
	elsewhere.Who, elsewhere.Pointer, elsewhere.AtLeast = "$wallet.example/cho", "$wallet.example/cho", true
	request := payment(views.PaymentCompleted)
	request.Who, request.Pointer, request.RequestAt = "$wallet.example/requests/019aa7f2-6a4e-7c11-9f5e-3f1f0b0e8f11", "$wallet.example/requests/019aa7f2-6a4e-7c11-9f5e-3f1f0b0e8f11", "wallet.example"
	app := payment(views.PaymentCompleted)
	app.App, app.AppURL, app.AppSays = "Flower Shop", "/agreements/019aa7f2-6a4e-7c11-9f5e-3f1f0b0e8f12", "A bunch of tulips, order 1042"
	render := func(name string, y views.PaymentPage, amount ...string) scene {
		return scene{name: name, page: views.Payment(ann("Payment", views.NavNone), y), amount: amount}
	}
	return []scene{
		render("payment-sending", sending, "$20.00 USD", "They get", "€18.40 EUR", "They got so far", "€0.00 EUR"),
		render("payment-sending-elsewhere", elsewhere, "They get at least", "€18.40 EUR"),
		render("payment-completed", payment(views.PaymentCompleted), "$20.00 USD", "€18.40 EUR"),
		render("payment-of-an-app", app, "$20.00 USD", "Flower Shop"),
		render("payment-of-a-request-elsewhere", request, "Sent to a payment request at wallet.example", "Payment request"),
		render("payment-partly", partly, "$12.00 USD", "$20.00 USD", "€11.04 EUR"),
		render("payment-failed", failed, "$20.00 USD", "$0.00 USD"),
		render("payment-checking", checking, "$20.00 USD", "$12.00 USD", "$5.00 USD", "$3.00 USD"),
		render("payment-review", review, "$20.00 USD", "$12.00 USD", "$8.00 USD"),
		render("payment-in", in, "$7.25 USD"),
		render("payment-in-unknown", unknown, "$7.25 USD", "doesn't say who", "Packets"),
	}
}

func appScenes() []scene {
	pay := views.PayPage{Name: "Ben", Pointer: "$localhost:3000/ben", Currency: "Euro (EUR)", SendURL: "/send?to=%24localhost%3A3000%2Fben"}
	mine := pay
	mine.Name, mine.Pointer, mine.Mine = "Ann", "$localhost:3000/ann", true
	return []scene{
		{name: "pay", page: views.Pay(nobody("Pay Ben"), pay)},
		{name: "pay-logged-in", page: views.Pay(ann("Pay Ben", views.NavNone), pay)},
		{name: "pay-mine", page: views.Pay(ann("Your pay page", views.NavNone), mine)},
		{name: "consent", page: views.Consent(ann("Allow Flower Shop?", views.NavNone), scopesConsent())},
		{name: "consent-month", page: views.Consent(ann("Allow Flower Shop?", views.NavNone), monthlyConsent()), amount: []string{
			"€12.00 EUR", "€5.00 EUR", "$1,240.50 USD", "At most 180.00 EUR in all",
		}},
		{name: "consent-once", page: views.Consent(ann("Allow Tip Jar?", views.NavNone), onceConsent()), amount: []string{"$3.00 USD"}},
		{name: "consent-long", page: views.Consent(ann("Allow?", views.NavNone), longConsent()), amount: []string{"€92,233,720,368,547,758.07 EUR"}},
		{name: "consent-errors", page: views.Consent(ann("Allow Flower Shop?", views.NavNone), wrongConsent())},
		{name: "consent-no-account", page: views.Consent(ann("Allow Flower Shop?", views.NavNone), poorConsent())},
		{name: "logout", page: views.Logout(ann("Log out", views.NavNone), views.LogoutPage{Action: "/logout", Challenge: "c1", App: "Flower Shop"})},
		{name: "logout-unknown", page: views.Logout(ann("Log out", views.NavNone), views.LogoutPage{Action: "/logout", Challenge: "c1"})},
	}
}

func scopesConsent() views.ConsentPage {
	return views.ConsentPage{
		Action: "/consent", Challenge: "c1", Seal: "s1", App: "Flower Shop", Host: "shop.example", Person: "Ann", Email: "ann@example.com",
		PolicyURL: "https://shop.example/privacy",
		Can:       []string{"Know that it is you when you come back.", "See your name and your payment pointer."},
		Cannot:    []string{"Move your money.", "See your balances or your payments.", "See your password."},
	}
}

func monthlyConsent() views.ConsentPage {
	c := scopesConsent()
	c.Logo, c.TermsURL = gallery{}.URL("icons/pochi.svg"), "https://shop.example/terms"
	c.Can = []string{"See your name and your payment pointers.", "Keep this access while you are away."}
	c.Cannot = []string{"See what is in your accounts.", "See payments that it didn't ask for.", "Spend more than you allow here, or from another account.", "Change what you allow here."}
	c.Agreement = &views.ConsentAgreement{
		Description: "Flowers on the first of each month, picked by hand and brought to your door", Most: views.Money{Text: "€12.00", Code: "EUR"}, Often: "every month",
		PaymentMax: views.Money{Text: "€5.00", Code: "EUR"}, Receivers: []string{"$shop.example/flowers", "$shop.example/delivery"},
		Ends: views.Moment{Text: "31 December 2027, 23:59 UTC", ISO: "2027-12-31T23:59:00Z"}, Worst: "At most 180.00 EUR in all.",
		Accounts: []views.ConsentAccount{
			{ID: "a1", Name: "Everyday", Balance: views.Money{Text: "€310.20", Code: "EUR"}, Chosen: true},
			{ID: "a2", Name: "Savings", Balance: views.Money{Text: "$1,240.50", Code: "USD"}, About: "About 13.13 USD for 12.00 EUR, at today's rate"},
		},
		Amount: "12.00", Currency: "EUR", RefreshURL: "/consent?consent_challenge=c1",
	}
	return c
}

func onceConsent() views.ConsentPage {
	c := monthlyConsent()
	c.App, c.Logo, c.Can = "Tip Jar", "", nil
	c.Agreement.Description, c.Agreement.Most, c.Agreement.Often = "Tips for what you read today", views.Money{Text: "$3.00", Code: "USD"}, "once"
	c.Agreement.PaymentMax, c.Agreement.Receivers, c.Agreement.Packets, c.Agreement.Ends = views.Money{}, nil, true, views.Moment{}
	c.Agreement.Accounts = c.Agreement.Accounts[1:]
	c.Agreement.Accounts[0].About, c.Agreement.Accounts[0].Chosen = "", true
	c.Agreement.Amount, c.Agreement.Currency, c.Agreement.Worst = "3.00", "USD", "At most 3.00 USD, once and never again."
	return c
}

// longConsent is what fills every field to its end.
func longConsent() views.ConsentPage {
	c := monthlyConsent()
	most := views.Money{Text: "€92,233,720,368,547,758.07", Code: "EUR"}
	c.App, c.Host = strings.Repeat("Shop", 15), strings.Repeat("shop", 12)+".example or "+strings.Repeat("app", 12)+".example"
	c.Agreement.Description, c.Agreement.Most, c.Agreement.PaymentMax = strings.Repeat("flower", 33), most, most
	c.Agreement.Often = "every 3 years, 2 months, 5 days and 7 hours, 1000000 times"
	c.Agreement.Receivers = []string{"$" + strings.Repeat("shop", 12) + ".example/" + strings.Repeat("flowers", 12)}
	for range 10 {
		account := c.Agreement.Accounts[1]
		account.Name, account.Balance, account.Chosen = strings.Repeat("Savings", 5), most, false
		c.Agreement.Accounts = append(c.Agreement.Accounts, account)
	}
	c.Agreement.Worst = "At most 92,233,720,368,547,758.07 EUR in the first year, and so on until you end it."
	return c
}

func wrongConsent() views.ConsentPage {
	c := monthlyConsent()
	c.Agreement.Amount = "20"
	c.Errors = views.Errors{"account": "Choose one of your accounts.", "amount": "That is more than is asked for: allow 12.00 EUR or less."}
	return c
}

func poorConsent() views.ConsentPage {
	c := monthlyConsent()
	c.Agreement.Accounts = nil
	return c
}

func errorScenes() []scene {
	unknown := views.ErrorFor(404, "There is no payment pointer $localhost:3000/bem. Ask the person for theirs again.")
	broken := views.ErrorFor(500, "It is our fault and we have a record of it. If you were paying, look at your last movements before you try again.")
	broken.RequestID = "019aa7f2-6a4e-7c11-9f5e-3f1f0b0e8f11"
	all := []scene{
		{name: "error-pointer", page: views.Error(nobody("Not found"), unknown)},
		{name: "error-500", page: views.Error(ann("Error", views.NavNone), broken)},
	}
	for name, status := range map[string]int{"400": 400, "403": 403, "404": 404, "405": 405, "413": 413, "429": 429, "503": 503} {
		all = append(all, scene{name: "error-" + name, page: views.Error(ann("Error", views.NavNone), views.ErrorFor(status, "Nothing was done."))})
	}
	return all
}
