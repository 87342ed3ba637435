package e2e

import (
	"math/big"
	"strings"
	"testing"

	"github.com/playwright-community/playwright-go"
)

// password is everybody's: long, and in nobody's list.
const password = "violet kettle under nine maps"

// The sides of a payment on which its amount is fixed.
const (
	sideSend    = "send"
	sideReceive = "receive"
)

// person is somebody with a window of their own and an account in the wallet.
type person struct {
	*tab
	Name    string
	Email   string
	Pointer string // "$localhost:3000/ann"
}

// newPerson opens a window and signs somebody up. The name, in small letters, is also the pointer's and the e-mail's.
func (b *browser) newPerson(w *wallet, name, currency string, scripts bool) *person {
	b.t.Helper()
	return b.newTab(w.URL, scripts).becomes(w, name, currency)
}

// becomes signs somebody up in the window.
func (tab *tab) becomes(w *wallet, name, currency string) *person {
	tab.t.Helper()
	short := strings.ToLower(name)
	p := &person{
		tab:     tab,
		Name:    name,
		Email:   short + "@example.com",
		Pointer: "$" + strings.TrimPrefix(w.URL, "http://") + "/" + short,
	}
	p.open("/signup")
	p.signUp(short, currency)
	p.arrives("/")
	return p
}

// signUp fills the sign-up form and sends it.
func (p *person) signUp(pointer, currency string) {
	p.t.Helper()
	p.fill("/signup", "name", p.Name)
	p.fill("/signup", "email", p.Email)
	p.fill("/signup", "password", password)
	p.fill("/signup", "pointer", pointer)
	p.choose("/signup", "currency", currency)
	p.submit("/signup")
}

// logIn fills the log-in form, wherever it is shown, and sends it.
func (p *person) logIn() {
	p.t.Helper()
	p.fill("/login", "email", p.Email)
	p.fill("/login", "password", password)
	p.submit("/login")
}

// logOut opens the menu and logs out.
func (p *person) logOut() {
	p.t.Helper()
	if err := p.page.Locator("summary").First().Click(); err != nil {
		p.t.Fatalf("open the menu: %v", err)
	}
	p.submit("/logout")
	if err := expect().Locator(p.page.GetByRole("link", playwright.PageGetByRoleOptions{Name: "Log in"}).First()).ToBeVisible(); err != nil {
		p.t.Fatalf("still logged in: %v", err)
	}
}

// addMoney adds test money to the first account.
func (p *person) addMoney(amount string) {
	p.t.Helper()
	p.open("/deposit")
	p.fill("/deposit", "amount", amount)
	p.submit("/deposit")
	if err := expect().Locator(p.form("/deposit")).Not().ToBeVisible(); err != nil {
		p.t.Fatalf("the money was not added: %s", p.text())
	}
}

// ask fills the send form and sends it, which leads to a quote or back with errors.
func (p *person) ask(to, amount, side string) {
	p.t.Helper()
	p.open("/send")
	p.fill("/send", "to", to)
	p.fill("/send", "amount", amount)
	p.choose("/send", "side", side)
	p.submit("/send")
}

// quote asks what a payment costs. It ends on the quote's page and returns what leaves and what arrives.
func (p *person) quote(to, amount, side string) (send, receive string) {
	p.t.Helper()
	p.ask(to, amount, side)
	p.arrives("/quotes/.+")
	figures := p.figures(".ticket-amount .money-text")
	if len(figures) != 2 {
		p.t.Fatalf("%s shows %d amounts, want 2", p.page.URL(), len(figures))
	}
	return figures[0], figures[1]
}

// confirm confirms the quote that is shown and waits until the payment is delivered.
func (p *person) confirm() {
	p.t.Helper()
	p.submit("/confirm")
	p.arrives("/payments/.+")
	p.sees("Delivered")
}

// pay sends an amount and waits until it is delivered.
func (p *person) pay(to, amount string) {
	p.t.Helper()
	p.quote(to, amount, sideSend)
	p.confirm()
}

// balance is what home shows for the first account: "1240.50".
func (p *person) balance() string {
	p.t.Helper()
	p.open("/")
	figures := p.figures("main .money-text")
	if len(figures) == 0 {
		p.t.Fatalf("home shows no balance: %s", p.text())
	}
	return figures[0]
}

// holds fails the test unless the first account's balance is the amount and its history adds up to it.
func (p *person) holds(amount string) {
	p.t.Helper()
	if balance := p.balance(); balance != amount {
		p.t.Errorf("%s has %s, want %s", p.Name, balance, amount)
	}
	history := p.history()
	if sum := add(p.t, history...); sum != amount {
		p.t.Errorf("%s's history %v adds up to %s, want %s", p.Name, history, sum, amount)
	}
}

// history are the amounts of the first account's newest movements, latest first: "-25.00".
func (p *person) history() []string {
	p.t.Helper()
	p.open("/")
	if err := p.page.Locator("main a[href^='/accounts/']").First().Click(); err != nil {
		p.t.Fatalf("open the account: %v", err)
	}
	p.arrives("/accounts/.+")
	return p.figures(".history .money-text")
}

// figures are the amounts that a selector finds, without symbols and separators: "-1240.50".
func (p *person) figures(selector string) []string {
	p.t.Helper()
	texts, err := p.page.Locator(selector).AllInnerTexts()
	if err != nil {
		p.t.Fatalf("read %s on %s: %v", selector, p.page.URL(), err)
	}
	for i, text := range texts {
		texts[i] = figure(text)
	}
	return texts
}

// figure is the number in a formatted amount: "−$1,240.50" is -1240.50.
func figure(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= '0' && r <= '9', r == '.':
			return r
		case r == '−', r == '-':
			return '-'
		}
		return -1
	}, text)
}

// add adds figures up exactly: "75.00" and "-10.87" are "64.13".
func add(t *testing.T, figures ...string) string {
	t.Helper()
	sum := new(big.Rat)
	for _, figure := range figures {
		value, ok := new(big.Rat).SetString(figure)
		if !ok {
			t.Fatalf("%q is not an amount", figure)
		}
		sum.Add(sum, value)
	}
	return sum.FloatString(2)
}
