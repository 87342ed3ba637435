package e2e

import (
	"fmt"
	"net/url"
	"testing"

	"github.com/playwright-community/playwright-go"
)

// rates are known here, so that every cent is: 25.00 USD are 22.8425 EUR, which rounds down; 10.00 EUR need 10.9445 USD,
// which rounds up.
const rates = "POCHI_RATES=USD=1,EUR=0.9137,GBP=0.79,JPY=150,KES=129,MXN=20"

func TestAnnPaysBen(t *testing.T) {
	for _, mode := range []struct {
		name    string
		scripts bool
	}{{"with JavaScript", true}, {"without JavaScript", false}} {
		t.Run(mode.name, func(t *testing.T) {
			w := startWallet(t, rates)
			browser := startBrowser(t)
			ann := browser.newPerson(w, "Ann", "USD", mode.scripts)
			ben := browser.newPerson(w, "Ben", "EUR", mode.scripts)
			ann.addMoney("100.00")
			ann.holds("100.00")

			if send, receive := ann.quote(ben.Pointer, "25.00", sideSend); send != "25.00" || receive != "22.84" {
				t.Errorf("the quote takes %s and delivers %s, want 25.00 and 22.84", send, receive)
			}
			ann.confirm()
			ann.holds("75.00")
			ben.holds("22.84")

			if send, receive := ann.quote(ben.Pointer, "10.00", sideReceive); send != "10.95" || receive != "10.00" {
				t.Errorf("the quote takes %s and delivers %s, want 10.95 and 10.00", send, receive)
			}
			ann.confirm()
			ann.holds("64.05")
			ben.holds("32.84")

			if output, ok := w.command("check"); !ok {
				t.Errorf("check beside the running wallet: %s", output)
			}
		})
	}
}

func TestSameCurrencyAndTheWholeBalance(t *testing.T) {
	w := startWallet(t)
	browser := startBrowser(t)
	ann := browser.newPerson(w, "Ann", "USD", true)
	ben := browser.newPerson(w, "Ben", "USD", true)
	ann.addMoney("0.07")

	if _, receive := ann.quote(ben.Pointer, "0.07", sideSend); receive != "0.07" {
		t.Errorf("the quote delivers %s, want 0.07", receive)
	}
	ann.confirm()
	ann.holds("0.00")
	ben.holds("0.07")
}

func TestConfirmedTwiceIsPaidOnce(t *testing.T) {
	w := startWallet(t)
	browser := startBrowser(t)
	ben := browser.newPerson(w, "Ben", "USD", true)
	for _, mode := range []struct {
		name    string
		scripts bool
	}{{"Ann", true}, {"Amy", false}} {
		payer := browser.newPerson(w, mode.name, "USD", mode.scripts)
		payer.addMoney("100.00")
		payer.quote(ben.Pointer, "10.00", sideSend)
		if err := payer.button("/confirm").Dblclick(); err != nil {
			t.Fatal(err)
		}
		payer.arrives("/payments/.+")
		payer.sees("Delivered")
		payer.holds("90.00")
	}
	ben.holds("20.00")

	cat := newVisitor(t, w)
	cat.signUp(t, "Cat", "USD")
	cat.addMoney(t, "100.00")
	quote, err := cat.submit("/send", "/send", url.Values{"to": {ben.Pointer}, "amount": {"10.00"}})
	if err != nil {
		t.Fatal(err)
	}
	path := quote.Location
	page, err := cat.get(path)
	if err != nil {
		t.Fatal(err)
	}
	form, ok := findForm(page.Body, path+"/confirm")
	if !ok {
		t.Fatalf("%s can't be confirmed", path)
	}
	payments := make(chan string)
	for range 4 {
		go func() {
			got, err := cat.post(path+"/confirm", form)
			if err != nil {
				got.Location = err.Error()
			}
			payments <- got.Location
		}()
	}
	first := <-payments
	for range 3 {
		if other := <-payments; other != first {
			t.Errorf("one quote was confirmed as %s and as %s", first, other)
		}
	}
	poll(t, startMax, "Cat's balance is 90.00", func() bool { return cat.balance(t) == "90.00" })
	ben.holds("30.00")
}

func TestExpiredQuote(t *testing.T) {
	w := startWallet(t, "POCHI_QUOTE_TTL=1s")
	browser := startBrowser(t)
	ben := browser.newPerson(w, "Ben", "EUR", true)
	for name, scripts := range map[string]bool{"Ann": true, "Amy": false} {
		ann := browser.newPerson(w, name, "USD", scripts)
		ann.addMoney("100.00")
		ann.ask(ben.Pointer, "10.00", sideSend)
		ann.arrives("/quotes/.+")
		poll(t, startMax, "the quote has expired", func() bool {
			_, err := ann.page.Reload()
			return err == nil && !visible(ann.button("/confirm")) && visible(ann.button("/renew"))
		})
		ann.sees("expired")
		ann.shot("quote-expired")
		old := ann.page.URL()
		ann.submit("/renew")
		ann.arrives("/quotes/.+")
		if ann.page.URL() == old {
			t.Errorf("the new quote is the old one, %s", old)
		}
		ann.holds("100.00")
	}
}

func TestAmountsThatCannotBePaid(t *testing.T) {
	w := startWallet(t)
	browser := startBrowser(t)
	ann := browser.newPerson(w, "Ann", "USD", true)
	ben := browser.newPerson(w, "Ben", "EUR", true)
	ann.addMoney("100.00")
	for _, amount := range []string{
		"", "0", "0.00", "-1", "1.234", "100.01", "abc", "1e3", "92233720368547758.08", "184467440737095516.16",
		"999999999999999999999999999999",
	} {
		ann.ask(ben.Pointer, amount, sideSend)
		ann.complains("amount", amount)
		if kept := ann.value("/send", "to"); kept != ben.Pointer {
			t.Errorf("after the amount %q, the pointer became %q", amount, kept)
		}
	}
	ann.shot("send-errors")
	for _, amount := range []string{"0", "-1", "1.234", "92233720368547758.08"} {
		ann.open("/deposit")
		ann.fill("/deposit", "amount", amount)
		ann.submit("/deposit")
		ann.complains("amount", amount)
	}
	ann.holds("100.00")
}

func TestPointersThatCannotBePaid(t *testing.T) {
	w := startWallet(t)
	ann := startBrowser(t).newPerson(w, "Ann", "USD", true)
	ann.addMoney("100.00")
	for _, pointer := range []string{
		"", "ben", "$", "$$", "$no such host/x", "https://", "ftp://example.com/x",
		ann.Pointer + "nobody", "$wallet.invalid/ben", fmt.Sprintf("$localhost:%d/ben", freePorts(t, 1)[0]),
	} {
		ann.ask(pointer, "10.00", sideSend)
		ann.complains("to", pointer)
		if kept := ann.value("/send", "amount"); kept != "10.00" {
			t.Errorf("after the pointer %q, the amount became %q", pointer, kept)
		}
	}
	ann.holds("100.00")
}

// complains checks that the form came back with an error beside the field, which keeps what was typed.
func (p *person) complains(field, typed string) {
	p.t.Helper()
	p.sees("Please check")
	text, err := p.page.Locator("#field-" + field + "-error").InnerText()
	if err != nil || text == "" {
		p.t.Errorf("%s=%q: no error beside the field: %v", field, typed, err)
	}
	kept, err := p.page.Locator("#field-" + field).InputValue()
	if err != nil || kept != typed {
		p.t.Errorf("%s=%q: the field shows %q, %v", field, typed, kept, err)
	}
}

// value is what a field of a form holds.
func (p *person) value(action, name string) string {
	p.t.Helper()
	value, err := p.form(action).Locator(fmt.Sprintf("[name=%q]", name)).InputValue()
	if err != nil {
		p.t.Fatalf("read %s of %s: %v", name, action, err)
	}
	return value
}

// visible tells whether an element can be seen now.
func visible(element playwright.Locator) bool {
	shown, err := element.IsVisible()
	return err == nil && shown
}
