package bench

import (
	"bytes"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// browser is a person's: it has their cookies, sends forms as its pages have them, and follows redirects.
type browser struct {
	*caller
	wallet  *wallet
	person  person
	account string
	cookies string
	token   string // of the forms
}

// What a payment's page has while it is sent, and when it has arrived.
const (
	sendingMark   = "outcome-sending"
	completedMark = "outcome-completed"
)

// errTooMany: the person has asked for too many quotes.
var errTooMany = errors.New("too many quotes")

// open opens the form on which a person sends money, once: what is in it stays.
func (w *wallet) open(c *caller, p person) (*browser, error) {
	me := &browser{caller: c, wallet: w, person: p, cookies: w.session(p)}
	page, err := me.get("/send")
	if err != nil {
		return nil, err
	}
	csrf, _, _ := strings.Cut(string(page.field("Set-Cookie")), ";")
	me.cookies += "; " + csrf
	me.token = string(between(page.body, `name="csrf_token" value="`, `"`))
	me.account = string(between(page.body, `<option value="`, `"`))
	if csrf == "" || me.token == "" || me.account == "" {
		return nil, fmt.Errorf("the form lacks something: %q, %q, %q", csrf, me.token, me.account)
	}
	return me, nil
}

// pay sends money as a person does: the form, the quote's page, its confirmation, the payment's page. It returns when that
// says that the payment is completed. Errors are errTooMany, and whatever else the pages say.
func (me *browser) pay(to, amount string) error {
	at, err := me.post("/send", "to", to, "account", me.account, "amount", amount, "side", "send")
	if err != nil {
		return err
	}
	quote, err := me.get(at)
	if err != nil {
		return err
	}
	action := between(quote.body, `action="/quotes/`, `"`)
	if action == nil {
		return fmt.Errorf("there is nothing to confirm: %s", quote.body)
	}
	if at, err = me.post("/quotes/" + string(action)); err != nil {
		return err
	}
	for {
		payment, err := me.get(at)
		switch {
		case err != nil:
			return err
		case bytes.Contains(payment.body, []byte(completedMark)):
			return nil
		case !bytes.Contains(payment.body, []byte(sendingMark)):
			return fmt.Errorf("the payment isn't completed: %s", payment.body)
		}
	}
}

func (me *browser) get(path string) (reply, error) {
	r, err := me.do(fmt.Appendf(nil, "GET %s HTTP/1.1\r\nHost: %s\r\nCookie: %s\r\n\r\n", path, me.wallet.pages, me.cookies))
	if err == nil && r.status != http.StatusOK {
		err = fmt.Errorf("%s: %d %s", path, r.status, r.body)
	}
	return r, err
}

// post sends a form and returns where that leads.
func (me *browser) post(path string, pairs ...string) (location string, err error) {
	form := url.Values{"csrf_token": {me.token}}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	body := form.Encode()
	r, err := me.do(fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: %s\r\nOrigin: http://%s\r\nCookie: %s\r\n"+
		"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", path, me.wallet.pages, me.wallet.pages, me.cookies, len(body), body))
	switch {
	case err != nil:
		return "", err
	case r.status == http.StatusTooManyRequests:
		return "", errTooMany
	case r.status != http.StatusSeeOther:
		return "", fmt.Errorf("%s: %d %s", path, r.status, r.body)
	}
	return string(r.field("Location")), nil
}
