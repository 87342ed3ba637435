package server

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"pochi/ilp/spsp"
)

// Ben asks for money and sends the link to Ann, who pays what it asks for: he sees it,
// and whoever opens the link after that sees that there is nothing to pay.
func TestRequestMoney(t *testing.T) {
	s := newWallet(t)
	ann, ben := signUp(t, s, "ann", "USD"), signUp(t, s, "ben", "EUR")
	nobody := newBrowser(t, s)
	account := ann.account()
	ann.post("/deposit", "account", account, "amount", "100").expect(t, "deposit", http.StatusSeeOther)
	ben.get("/requests").expect(t, "no request yet", http.StatusOK, "No request yet")
	link := ben.post("/requests", "account", ben.account(), "amount", "25", "description", "Dinner <on Friday>", "expires", "week").
		expect(t, "ask", http.StatusSeeOther).Location
	ben.get(link).expect(t, "Ben's request", http.StatusOK, "€25.00", "Dinner &lt;on Friday&gt;", "Waiting", "Nothing yet", "At most €25.25", "http://localhost:3000"+link, "<svg class=\"qr\"")
	public := nobody.get(link).expect(t, "the link", http.StatusOK, "ben asks to be paid", "€25.00", "Dinner &lt;on Friday&gt;", "Log in to pay")
	if strings.Contains(public.Body, "Everyday") || strings.Contains(public.Body, ben.account()) {
		t.Error("the public page names Ben's account")
	}
	ann.get("/send/payee?to=http://localhost:3000"+link).expect(t, "the send box", http.StatusOK, "ben", "asks for €25.00 EUR", "Dinner")
	quote := ann.post("/send", "to", "http://localhost:3000"+link, "account", account, "amount", "", "side", "send").
		expect(t, "send", http.StatusSeeOther).Location
	ann.get(quote).expect(t, "quote", http.StatusOK, "€25.0", "ben")
	payment := ann.post(quote+"/confirm").expect(t, "confirm", http.StatusSeeOther).Location
	ann.get(payment).expect(t, "Ann's payment", http.StatusOK, "Delivered", "Dinner &lt;on Friday&gt;", link)
	if strings.Contains(ann.get(payment).Body, "Send again") {
		t.Error("a request that is paid can be paid again")
	}
	ben.get(link).expect(t, "Ben's request afterwards", http.StatusOK, "Paid", "ann", "+€25.0")
	ben.get(payment+"?side=in").expect(t, "Ben's side", http.StatusOK, "Dinner &lt;on Friday&gt;", link)
	ben.get("/history").expect(t, "Ben's history", http.StatusOK, "Dinner &lt;on Friday&gt;")
	ann.get("/history").expect(t, "Ann's history", http.StatusOK, "Payment request")
	nobody.get(link).expect(t, "the link afterwards", http.StatusOK, "This request has been paid.")
	ann.post("/send", "to", "http://localhost:3000"+link, "account", account, "amount", "", "side", "send").
		expect(t, "again", http.StatusUnprocessableEntity, "This request has been paid.")
}

// A request is its owner's to cancel, and nobody else's.
func TestCancelARequest(t *testing.T) {
	s := newWallet(t)
	ann, ben := signUp(t, s, "ann", "USD"), signUp(t, s, "ben", "EUR")
	link := ben.post("/requests", "account", ben.account(), "amount", "", "description", "Tips", "expires", "").
		expect(t, "ask", http.StatusSeeOther).Location
	ann.get(link).expect(t, "Ann's view", http.StatusOK, "Any amount", "Tips", "Pay")
	ann.post(link+"/cancel").expect(t, "Ann cancels", http.StatusNotFound)
	ben.post(link+"/cancel").expect(t, "Ben cancels", http.StatusSeeOther)
	ben.get(link).expect(t, "Ben's view", http.StatusOK, "Cancelled", "Nobody can pay it any more.")
	ann.get(link).expect(t, "Ann's view afterwards", http.StatusOK, "This request was cancelled.")
	ben.get("/requests").expect(t, "the list", http.StatusOK, "Tips", "Cancelled")
	ben.post("/requests", "account", ann.account(), "amount", "5").expect(t, "into Ann's account", http.StatusUnprocessableEntity, "Choose one of your accounts.")
	ben.post("/requests", "account", ben.account(), "amount", "5.001", "description", "x").
		expect(t, "too many decimals", http.StatusUnprocessableEntity, `value="5.001"`, `value="x"`)
	ben.get("/requests/nothing").expect(t, "no request", http.StatusNotFound)
}

// Wallets that ask at the link learn how to pay, and how much; or that nobody is paid.
func TestRequestAnswersSPSP(t *testing.T) {
	s := newWallet(t)
	ben := signUp(t, s, "ben", "EUR")
	link := ben.post("/requests", "account", ben.account(), "amount", "25").expect(t, "ask", http.StatusSeeOther).Location
	ask := func() *http.Response {
		req := httptest.NewRequest(http.MethodGet, link, nil)
		req.Header.Set("Accept", spsp.Accept)
		resp, err := s.pages.Test(req, -1)
		if err != nil {
			t.Fatal(err)
		}
		return resp
	}
	if resp := ask(); resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != spsp.ContentType || resp.Header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
	ben.post(link+"/cancel").expect(t, "cancel", http.StatusSeeOther)
	if resp := ask(); resp.StatusCode != http.StatusNotFound || !strings.HasPrefix(resp.Header.Get("Content-Type"), "application/json") {
		t.Errorf("cancelled: %d %v", resp.StatusCode, resp.Header)
	}
}
