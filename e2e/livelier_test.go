package e2e

import (
	"strings"
	"testing"

	"github.com/playwright-community/playwright-go"
)

// TestTimesOfTheBrowser looks at times where it is another day than in UTC, now or in some hours.
func TestTimesOfTheBrowser(t *testing.T) {
	w := startWallet(t)
	browser := startBrowser(t)
	plain := browser.newPerson(w, "Ann", "USD", false)
	plain.addMoney("10.00")
	plain.history()
	if text := plain.text(); !strings.Contains(text, " UTC") || !strings.Contains(text, "Today") {
		t.Errorf("without JavaScript, the history says %q", text)
	}

	ben := browser.newTabIn("Pacific/Kiritimati", w.URL, true).becomes(w, "Ben", "USD") // UTC+14
	ben.addMoney("10.00")
	ben.history()
	if text := ben.text(); strings.Contains(text, "UTC") || !strings.Contains(text, "Today") {
		t.Errorf("with JavaScript, the history says %q", text)
	}
	// Times in words of another length move a line's end by some pixels if the page was painted before the script ran; anything
	// more would move lines.
	if still := ben.evaluate(`() => new Promise(done => {
		let sum = 0;
		new PerformanceObserver(list => list.getEntries().forEach(entry => sum += entry.value))
			.observe({type: "layout-shift", buffered: true});
		requestAnimationFrame(() => requestAnimationFrame(() => done(sum < 0.02 ? "still" : "moved by " + sum)));
	})`); still != "still" {
		t.Errorf("while it was shown, the history %v", still)
	}

	// What is swapped in is shown alike, and days begin where they do here.
	ben.evaluate(`() => {
		const list = document.querySelector(".history"), row = list.querySelector("li");
		const rows = ["2026-01-01T10:30:00Z", "2026-01-01T10:00:00Z", "2026-01-01T09:30:00Z"].map((at, i) => {
			const copy = row.cloneNode(true), time = copy.querySelector("time");
			time.dateTime = at;
			time.textContent = at.slice(11, 16) + " UTC";
			copy.querySelector(".day-label").textContent = "1 January 2026";
			copy.querySelector(".day-label").hidden = i > 0;
			return copy;
		});
		list.replaceChildren(...rows);
	}`)
	want := "2 January 2026 00:30, 00:00, 1 January 2026 23:30"
	got := ben.evaluate(`() => [...document.querySelectorAll(".history li")].map(row => {
		const label = row.querySelector(".day-label");
		return (label.hidden ? "" : label.textContent + " ") + row.querySelector("time").textContent;
	}).join(", ")`)
	if got != want {
		t.Errorf("the history shows %v, want %s", got, want)
	}

	if err := ben.page.Locator(".history a").First().Click(); err != nil {
		t.Fatal(err)
	}
	ben.sees("GMT+14")
	ben.evaluate(`async () => {
		const page = new DOMParser().parseFromString(await (await fetch(location)).text(), "text/html");
		document.querySelector("#payment").replaceWith(page.querySelector("#payment"));
	}`)
	ben.sees("GMT+14")
	ben.seesNot("UTC")
}

func TestMenuCloses(t *testing.T) {
	w := startWallet(t)
	ann := startBrowser(t).newPerson(w, "Ann", "USD", true)
	menu, summary := ann.page.Locator(".menu"), ann.page.Locator(".menu summary")
	button := ann.button("/logout")
	for name, leave := range map[string]func() error{
		"Escape":        func() error { return ann.page.Keyboard().Press("Escape") },
		"a click":       func() error { return ann.page.Locator("main").Click() },
		"its own entry": func() error { return summary.Click() },
		"Tab":           func() error { return passMenu(ann.page.Keyboard()) },
	} {
		if err := summary.Click(); err != nil {
			t.Fatal(err)
		}
		if err := expect().Locator(button).ToBeVisible(); err != nil {
			t.Fatal(err)
		}
		if err := menu.Locator("p").Click(); err != nil || !visible(button) {
			t.Fatalf("a click in the menu closes it, %v", err)
		}
		if name == "Tab" {
			ann.shot("menu")
		}
		if err := summary.Focus(); err != nil {
			t.Fatal(err)
		}
		if err := leave(); err != nil {
			t.Fatal(err)
		}
		if err := expect().Locator(button).Not().ToBeVisible(); err != nil {
			t.Errorf("the menu stays open after %s: %v", name, err)
		}
		if name != "Escape" {
			continue
		}
		if err := expect().Locator(summary).ToBeFocused(); err != nil {
			t.Errorf("after Escape: %v", err)
		}
	}
}

// passMenu goes from the menu's own entry past the link and the button in it.
func passMenu(keyboard playwright.Keyboard) error {
	for range 3 {
		if err := keyboard.Press("Tab"); err != nil {
			return err
		}
	}
	return nil
}

// TestPayeeAfterTheSessionEnded changes a pointer after logging out elsewhere: nobody is named any more, and nothing
// that was typed is lost.
func TestPayeeAfterTheSessionEnded(t *testing.T) {
	w := startWallet(t)
	browser := startBrowser(t)
	ben := browser.newPerson(w, "Ben", "EUR", true)
	ann := browser.newPerson(w, "Ann", "USD", true)
	ann.open("/send")
	ann.fill("/send", "amount", "12.50")
	ann.choose("/send", "side", sideReceive)
	ann.fill("/send", "to", ben.Pointer)
	payee := ann.page.Locator("#payee")
	if err := expect().Locator(payee).ToContainText("Ben"); err != nil {
		t.Fatal(err)
	}

	other, err := ann.context.NewPage()
	if err != nil {
		t.Fatal(err)
	}
	second := &person{tab: &tab{t: t, base: w.URL, context: ann.context, page: other}, Name: "Ann"}
	second.open("/")
	second.logOut()

	ann.fill("/send", "to", ann.Pointer)
	if err := expect().Locator(payee).ToContainText("You are logged out."); err != nil {
		t.Fatal(err)
	}
	if err := expect().Locator(payee).Not().ToContainText("Ben"); err != nil {
		t.Error(err)
	}
	ann.shot("send-logged-out")
	ann.press("Log in again")
	ann.logIn()
	ann.arrives("/send")
	for name, want := range map[string]string{"to": ann.Pointer, "amount": "12.50"} {
		if got := ann.value("/send", name); got != want {
			t.Errorf("%s became %q, want %q", name, got, want)
		}
	}
	if checked, err := ann.form("/send").Locator("[value=" + sideReceive + "]").IsChecked(); err != nil || !checked {
		t.Errorf("the side was lost, %v", err)
	}
}

// evaluate runs a function in the page and returns its result.
func (tab *tab) evaluate(function string) any {
	tab.t.Helper()
	result, err := tab.page.Evaluate(function)
	if err != nil {
		tab.t.Fatal(err)
	}
	return result
}
