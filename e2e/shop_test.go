package e2e

import (
	"fmt"
	"strings"
)

// testBouquet pays once, and nothing more can be taken afterwards.
func (m *market) testBouquet() {
	ann, flora := m.device(m.ann), m.device(m.flora)
	before := [2]string{ann.balance(), flora.balance()}
	ann.open(m.shop)
	ann.shot("shop")
	ann.press("Buy Sunflowers")
	ann.sees("Allow Maua to spend your money?")
	ann.sees("“Sunflowers from Maua”")
	ann.sees(flora.Pointer)
	ann.sees("Nobody else.")
	ann.shot("consent-once")
	ann.press("Allow")
	m.isAt(ann)
	ann.sees("Thank you, Ann")
	ann.sees("Paid")
	ann.shot("shop-bouquet")
	if got := ann.balance(); got != add(m.t, before[0], "-7.50") {
		m.t.Errorf("Ann had %s and has %s, want 7.50 less", before[0], got)
	}
	if got := flora.balance(); got != add(m.t, before[1], "7.50") {
		m.t.Errorf("Flora had %s and has %s, want 7.50 more", before[1], got)
	}
	if got := ann.history()[0]; got != "-7.50" {
		m.t.Errorf("Ann's history begins with %s", got)
	}
	ann.sees("Maua")
	ann.open("/agreements")
	ann.sees("Ended")
	ann.shot("agreements")
}

// testDenied gives nothing.
func (m *market) testDenied() {
	ann := m.device(m.ann)
	ann.open("/agreements")
	before := ann.text()
	ann.open(m.shop)
	ann.press("Subscribe")
	ann.sees("every month")
	ann.press("Deny")
	ann.sees("Nothing was bought")
	ann.sees("access_denied")
	ann.open("/agreements")
	if after := ann.text(); after != before {
		m.t.Errorf("her agreements were %q and are %q", before, after)
	}
}

// testLess allows less than the price: nothing is paid, and the shop can say why.
func (m *market) testLess() {
	ann := m.device(m.ann)
	before := ann.balance()
	ann.open(m.shop)
	ann.press("Buy Roses")
	ann.fill("/oauth/consent", "amount", "5.00")
	ann.press("Allow")
	m.isAt(ann)
	ann.sees("Not paid yet")
	ann.sees("USD 5.00")
	ann.shot("shop-not-paid")
	ann.press("Never mind")
	ann.sees("Nothing was bought")
	if got := ann.balance(); got != before {
		m.t.Errorf("Ann had %s and has %s", before, got)
	}
}

// testSubscription bills as long as it may.
func (m *market) testSubscription() {
	ann, phone := m.device(m.ann), m.device(m.ann)
	ann.open(m.shop)
	ann.press("Subscribe")
	ann.sees("$12.00")
	ann.sees("every month")
	ann.shot("consent-monthly")
	ann.press("Allow")
	m.isAt(ann)
	ann.sees("Flowers every month")

	phone.opensAgreement()
	phone.press("Pause")
	phone.sees("Resume")
	ann.press("Bill now")
	ann.sees("paused")
	if bills := m.bills(ann); len(bills) != 1 || strings.Contains(bills[0], "Paid") {
		m.t.Errorf("while it is paused: %q", bills)
	}
	phone.press("Resume")
	phone.sees("Pause")
	ann.press("Bill now")
	ann.sees("Paid")
	phone.open(phone.page.URL())
	phone.sees("$12.00")
	ann.press("Bill now") // the same month
	if bills := m.bills(ann); len(bills) != 3 || !strings.Contains(bills[1], "Paid") || strings.Contains(bills[2], "Paid") {
		m.t.Errorf("a second delivery in the same month: %q", bills)
	}
	ann.shot("shop-subscription")
	phone.shot("agreement")

	phone.press("Revoke")
	phone.shot("agreement-revoke")
	phone.submit("/revoke")
	phone.sees("Nothing can be paid under it any more.")
	ann.press("Bill now")
	if bills := m.bills(ann); len(bills) != 4 || strings.Contains(bills[3], "Paid") {
		m.t.Errorf("after it was revoked: %q", bills)
	}
}

// bills are the charges that the shop's page lists. It waits until the page of the last click is there.
func (m *market) bills(p *person) []string {
	m.t.Helper()
	m.isAt(p)
	if err := p.page.WaitForLoadState(); err != nil {
		m.t.Fatal(err)
	}
	texts, err := p.page.Locator(".bills li").AllInnerTexts()
	if err != nil {
		m.t.Fatal(err)
	}
	return texts
}

// testTips lowers the limit while packets are on their way.
func (m *market) testTips() {
	ann, phone, flora := m.device(m.ann), m.device(m.ann), m.device(m.flora)
	before := [2]string{ann.balance(), flora.balance()}
	m.beginTips(ann)
	m.tipped(ann, func(sum int64) bool { return sum >= 5 })
	ann.shot("shop-tips")
	phone.opensAgreement()
	phone.press("Lower limit")
	phone.fill("/lower", "amount", "0.03") // less than is used
	phone.shot("agreement-lower")
	phone.submit("/lower")
	phone.sees("$0.03")
	ann.sees("you have given as much as you allowed")
	sent := m.tipped(ann, func(int64) bool { return true })

	ann.press("Play")
	ann.sees("It stopped")
	if again := m.tipped(ann, func(int64) bool { return true }); again != sent {
		m.t.Errorf("%d was tipped, and later %d", sent, again)
	}
	amount := add(m.t, "0.00", fmt.Sprintf("%d.%02d", sent/100, sent%100))
	if got := ann.balance(); got != add(m.t, before[0], "-"+amount) {
		m.t.Errorf("Ann had %s and has %s; %s was tipped", before[0], got, amount)
	}
	if got := flora.balance(); got != add(m.t, before[1], amount) {
		m.t.Errorf("Flora had %s and has %s; %s was tipped", before[1], got, amount)
	}
	phone.open(phone.page.URL())
	phone.sees("$" + amount + " USD used")
	phone.shot("agreement-tips")
	if got := ann.history()[0]; got != "-"+amount {
		m.t.Errorf("Ann's history begins with %s, want one line of %s for all packets", got, amount)
	}
}

// testSecondDevice agrees in one window, pauses, resumes and revokes in another, while the shop streams.
func (m *market) testSecondDevice() {
	ann, phone := m.device(m.ann), m.device(m.ann)
	m.beginTips(ann)
	first := m.tipped(ann, func(sum int64) bool { return sum >= 1 })
	phone.opensAgreement()
	phone.press("Pause")
	ann.sees("in your wallet this agreement is paused")
	phone.press("Resume")
	phone.sees("Revoke")
	ann.press("Play")
	m.tipped(ann, func(sum int64) bool { return sum > first+2 })
	phone.press("Revoke")
	phone.submit("/revoke")
	ann.sees("in your wallet this agreement is revoked")
	ann.press("Play")
	ann.press("No more tips")
	ann.sees("You have ended it")
}

// testOtherCurrency pays from euros, also in packets that are too small to be exchanged.
func (m *market) testOtherCurrency() {
	eve, flora := m.newPerson(m.wallet, "Eve", "EUR", true), m.device(m.flora)
	eve.addMoney("50.00")
	before := flora.balance()
	eve.open(m.shop)
	eve.press("Buy Sunflowers")
	eve.sees("About")
	eve.press("Allow")
	m.isAt(eve)
	eve.sees("Thank you, Eve")
	if got, want := flora.balance(), add(m.t, before, "7.50"); got != want {
		m.t.Errorf("Flora had %s and has %s, want %s", before, got, want)
	}
	m.beginTips(eve)
	m.tipped(eve, func(sum int64) bool { return sum > 0 })
	eve.press("No more tips")
	eve.sees("You have ended it")
	eve.seesNot("It stopped")
}

// beginTips agrees to tips and plays.
func (m *market) beginTips(p *person) {
	m.t.Helper()
	p.open(m.shop)
	p.press("Tip the music")
	p.sees("$5.00")
	p.press("Allow")
	m.isAt(p)
	p.press("Play")
}

// tipped waits until the shop says that so much was tipped, in cents.
func (m *market) tipped(p *person, enough func(int64) bool) (sum int64) {
	m.t.Helper()
	poll(m.t, startMax, "enough is tipped", func() bool {
		text, err := p.page.Locator("#tipped").InnerText()
		if err != nil {
			return false // the page is just being loaded again
		}
		sum = units(m.t, text)
		return enough(sum)
	})
	return sum
}
