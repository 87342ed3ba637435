package e2e

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
)

// testConsentIsGuarded has others try to get a yes that nobody has said. Frames and forms of other sites are in TestNobodyElseConsents.
func (m *market) testConsentIsGuarded() {
	rival := newClient(m.wallet, "Rival", "openid", "agreement")
	ask := func(cents int) string {
		return rival.startAgreement(fmt.Sprintf(`[{"type": "agreement", "description": "Stamps", "amount": {"value": "%d", "assetCode": "USD", "assetScale": 2}}]`, cents))
	}
	ann, ben := m.device(m.ann), m.newPerson(m.wallet, "Ben", "USD", true)
	ann.open("/agreements")
	before := ann.text()

	ann.open(ask(100))
	ann.sees("Allow Rival to spend your money?")
	cheap, cheapForm := ann.page.URL(), m.consentForm(ann)

	ben.open(cheap)
	ben.sees("Somebody else was asked")
	m.postedAs(ben, cheapForm)

	ann.open(ask(150_00))
	ann.sees("$150.00")
	m.swapped(ann, cheapForm)

	ann.open("/agreements")
	if after := ann.text(); after != before {
		m.t.Errorf("her agreements were %q and are %q", before, after)
	}
	select {
	case got := <-rival.callbacks:
		m.t.Errorf("the app was told %v", got)
	default:
	}
}

// consentForm is what Allow would send.
func (m *market) consentForm(p *person) url.Values {
	m.t.Helper()
	page, err := p.page.Content()
	if err != nil {
		m.t.Fatal(err)
	}
	form, ok := findForm(page, "/oauth/consent")
	if !ok {
		m.t.Fatalf("%s has no form", p.page.URL())
	}
	form.Set("decision", "allow")
	return form
}

// postedAs has somebody else who is logged in send the form, with a token of their own against forged forms.
func (m *market) postedAs(p *person, form url.Values) {
	m.t.Helper()
	p.open("/agreements")
	token, err := p.page.Locator("[name=csrf_token]").First().GetAttribute("value")
	if err != nil {
		m.t.Fatal(err)
	}
	stolen := maps.Clone(form)
	stolen.Set("csrf_token", token)
	if status := p.sends("/oauth/consent", stolen); status != http.StatusForbidden {
		m.t.Errorf("somebody else's form: %d, want 403", status)
	}
}

// swapped shows one question and sends its answer to another.
func (m *market) swapped(p *person, cheap url.Values) {
	m.t.Helper()
	dear := m.consentForm(p)
	mixed := maps.Clone(cheap)
	mixed.Set("csrf_token", dear.Get("csrf_token"))
	mixed.Set("consent_challenge", dear.Get("consent_challenge"))
	if status := p.sends("/oauth/consent", mixed); status != http.StatusConflict {
		m.t.Errorf("the answer to another question: %d, want 409", status)
	}
	more := maps.Clone(cheap)
	more.Set("csrf_token", dear.Get("csrf_token"))
	more.Set("amount", "150.00")
	if status := p.sends("/oauth/consent", more); status != http.StatusUnprocessableEntity {
		m.t.Errorf("more than was asked for: %d, want 422", status)
	}
}

// sends sends a form from the page that is shown, without leaving it.
func (p *person) sends(path string, form url.Values) (status int) {
	p.t.Helper()
	got, err := p.page.Evaluate(`async ([path, body]) => (await fetch(path, {
		method: "POST", body, headers: {"Content-Type": "application/x-www-form-urlencoded"}, redirect: "manual"
	})).status`, []any{path, form.Encode()})
	if err != nil {
		p.t.Fatal(err)
	}
	return got.(int)
}
