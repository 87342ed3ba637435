package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

// visitor is somebody without a browser: fast, and able to send what no browser would. It keeps cookies, follows no
// redirects and fills forms by what they contain.
type visitor struct {
	base   string
	origin string // the site on which forms are filled
	client *http.Client
}

// answer is what the wallet said to a visitor.
type answer struct {
	Status   int
	Location string // where it leads, a path if that is in the wallet
	Body     string
}

// newVisitor is a visitor who isn't logged in.
func newVisitor(t *testing.T, w *wallet) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{base: w.URL, origin: w.URL, client: &http.Client{
		Jar:           jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// signUp makes a person of the visitor.
func (v *visitor) signUp(t *testing.T, name, currency string) {
	t.Helper()
	got, err := v.submit("/signup", "/signup", url.Values{
		"name": {name}, "email": {name + "@example.com"}, "password": {password},
		"pointer": {strings.ToLower(name)}, "currency": {currency},
	})
	if err != nil || got.Status != http.StatusSeeOther {
		t.Fatalf("sign %s up: %d, %v", name, got.Status, err)
	}
}

// logIn makes the visitor somebody whom the wallet knows.
func (v *visitor) logIn(t *testing.T, email, password string) {
	t.Helper()
	got, err := v.submit("/login", "/login", url.Values{"email": {email}, "password": {password}})
	if err != nil || got.Status != http.StatusSeeOther {
		t.Fatalf("log %s in: %d, %v", email, got.Status, err)
	}
}

// addMoney adds test money to the visitor's first account.
func (v *visitor) addMoney(t *testing.T, amount string) {
	t.Helper()
	got, err := v.submit("/deposit", "/deposit", url.Values{"amount": {amount}})
	if err != nil || got.Status != http.StatusSeeOther {
		t.Fatalf("add money: %d, %v", got.Status, err)
	}
}

// pay sends an amount and returns the path of the payment. An error says nothing about whether it was confirmed.
func (v *visitor) pay(to, amount string) (string, error) {
	got, err := v.submit("/send", "/send", url.Values{"to": {to}, "amount": {amount}, "side": {sideSend}})
	if err != nil {
		return "", err
	}
	if got.Status != http.StatusSeeOther {
		return "", fmt.Errorf("quote: status %d", got.Status)
	}
	got, err = v.submit(got.Location, got.Location+"/confirm", nil)
	if err != nil {
		return "", err
	}
	if got.Status != http.StatusSeeOther {
		return "", fmt.Errorf("confirm: status %d", got.Status)
	}
	return got.Location, nil
}

// amountPattern finds formatted amounts in a page.
var amountPattern = regexp.MustCompile(`class="money-text">([^<]*)<`)

// balance is what home shows for the first account: "1240.50".
func (v *visitor) balance(t *testing.T) string {
	t.Helper()
	home, err := v.get("/")
	if err != nil {
		t.Fatal(err)
	}
	found := amountPattern.FindStringSubmatch(home.Body)
	if found == nil {
		t.Fatalf("home, status %d, shows no amount", home.Status)
	}
	return figure(html.UnescapeString(found[1]))
}

// allows follows a URL to the question of an app, allows what it asks for, and returns where that leads in the end, below callback.
func (v *visitor) allows(t *testing.T, to, callback string) string {
	t.Helper()
	question := v.follows(t, to, callback)
	page, err := v.get(question)
	if err != nil {
		t.Fatal(err)
	}
	form, ok := findForm(page.Body, "/oauth/consent")
	if !ok {
		t.Fatalf("%s, status %d, has no question: %s", question, page.Status, page.Body)
	}
	form.Set("decision", "allow")
	answer, err := v.post("/oauth/consent", form)
	if err != nil || answer.Status != http.StatusSeeOther {
		t.Fatalf("allow it: %d, %v: %s", answer.Status, err, answer.Body)
	}
	return v.follows(t, answer.Location, callback)
}

// follows goes where redirects lead, through Hydra too, until there is a page or an address below callback, and returns that.
func (v *visitor) follows(t *testing.T, to, callback string) string {
	t.Helper()
	elsewhere := *v
	elsewhere.base = ""
	for range 10 {
		if strings.HasPrefix(to, callback) {
			return to
		}
		if strings.HasPrefix(to, "/") {
			to = v.base + to
		}
		got, err := elsewhere.get(to)
		if err != nil {
			t.Fatal(err)
		}
		if got.Status < 300 || got.Status >= 400 {
			return strings.TrimPrefix(to, v.base)
		}
		to = got.Location
	}
	t.Fatalf("no end of redirects: %s", to)
	return ""
}

// get fetches a page.
func (v *visitor) get(path string) (answer, error) {
	request, err := http.NewRequest(http.MethodGet, v.base+path, nil)
	if err != nil {
		return answer{}, err
	}
	return v.do(request)
}

// submit fetches a page and sends its form of that action, with the given values in place of the form's own.
func (v *visitor) submit(page, action string, values url.Values) (answer, error) {
	got, err := v.get(page)
	if err != nil {
		return answer{}, err
	}
	form, ok := findForm(got.Body, action)
	if !ok {
		return answer{}, fmt.Errorf("%s, status %d, has no form for %s", page, got.Status, action)
	}
	for name, value := range values {
		form[name] = value
	}
	return v.post(action, form)
}

// post sends a form as the wallet's own pages do.
func (v *visitor) post(path string, form url.Values) (answer, error) {
	request, err := http.NewRequest(http.MethodPost, v.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return answer{}, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	request.Header.Set("Origin", v.origin)
	return v.do(request)
}

func (v *visitor) do(request *http.Request) (answer, error) {
	response, err := v.client.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	location := strings.TrimPrefix(response.Header.Get("Location"), v.base)
	return answer{response.StatusCode, location, string(body)}, err
}

// findForm is what a browser would send for the page's form of that action, if it has one and nothing was typed.
func findForm(page, action string) (url.Values, bool) {
	document, err := html.Parse(strings.NewReader(page))
	if err != nil {
		return nil, false
	}
	for form := range document.Descendants() {
		if form.Data == "form" && attribute(form, "action") == action {
			return defaults(form), true
		}
	}
	return nil, false
}

// defaults are the values that a form starts with.
func defaults(form *html.Node) url.Values {
	values := url.Values{}
	for node := range form.Descendants() {
		name := attribute(node, "name")
		switch {
		case node.Data == "input" && name != "":
			if attribute(node, "type") != "radio" || hasAttribute(node, "checked") {
				values.Set(name, attribute(node, "value"))
			}
		case node.Data == "select" && name != "":
			for option := range node.Descendants() {
				if option.Data == "option" && (!values.Has(name) || hasAttribute(option, "selected")) {
					values.Set(name, attribute(option, "value"))
				}
			}
		}
	}
	return values
}

func attribute(node *html.Node, key string) string {
	for _, a := range node.Attr {
		if a.Key == key {
			return a.Val
		}
	}
	return ""
}

func hasAttribute(node *html.Node, key string) bool {
	for _, a := range node.Attr {
		if a.Key == key {
			return true
		}
	}
	return false
}
