package oauth_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pochi/app/oauth"
	"pochi/app/problem"

	"github.com/google/uuid"
)

const agreementID = "0194d0b0-0000-7000-8000-0000000000aa"

// introspector is a Hydra that says each token is valid for long, but for those that
// it refuses, and counts how often it is asked.
type introspector struct {
	asked   atomic.Int64
	before  func()                  // called before each answer; may be nil
	refuses func(token string) bool // none if nil
}

func (i *introspector) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.asked.Add(1)
	if i.before != nil {
		i.before()
	}
	w.Header().Set("Content-Type", "application/json")
	if r.Method == http.MethodDelete {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if i.refuses != nil && i.refuses(r.FormValue("token")) {
		fmt.Fprint(w, `{"active":false}`)
		return
	}
	fmt.Fprint(w, strings.NewReplacer("openid profile", "openid agreement", "1800000001", "1800003600", `"active":true`, `"active":true,"ext":{"agreement":"`+agreementID+`"}`).Replace(activeToken))
}

func startIntrospector(t *testing.T, clock *time.Time) (*oauth.Provider, *introspector) {
	t.Helper()
	i := &introspector{}
	server := httptest.NewServer(i)
	t.Cleanup(server.Close)
	admin, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	return oauth.New(oauth.Options{AdminURL: admin, PublicURL: admin, Audience: audience, Now: func() time.Time { return *clock }}), i
}

// use introspects a token and tells how often Hydra was asked so far.
func use(t *testing.T, p *oauth.Provider, i *introspector, token string) int64 {
	t.Helper()
	if _, err := p.Introspect(t.Context(), token); err != nil {
		t.Fatal(err)
	}
	return i.asked.Load()
}

func TestAValidTokenIsAskedAboutOnceIn5Seconds(t *testing.T) {
	clock := now()
	p, i := startIntrospector(t, &clock)
	for range 3 {
		if got := use(t, p, i, "a"); got != 1 {
			t.Errorf("asked %d times", got)
		}
	}
	if got := use(t, p, i, "b"); got != 2 {
		t.Errorf("another token: asked %d times", got)
	}
	clock = clock.Add(5 * time.Second)
	if got := use(t, p, i, "a"); got != 3 {
		t.Errorf("after 5 s: asked %d times", got)
	}
}

func TestATokenIsNotKeptBeyondItsEnd(t *testing.T) {
	p, h := start(t, 200, activeToken) // for another second
	for range 2 {
		if _, err := p.Introspect(t.Context(), "token"); err != nil {
			t.Fatal(err)
		}
	}
	if len(h.asked) != 1 {
		t.Errorf("asked %v", h.asked)
	}
	clock := now()
	p, i := startIntrospector(t, &clock)
	use(t, p, i, "a")
	clock = time.Unix(1_800_003_599, 0)
	use(t, p, i, "a")
	clock = time.Unix(1_800_003_600, 0)
	if _, err := p.Introspect(t.Context(), "a"); err == nil {
		t.Error("a token is valid at its end")
	}
}

func TestWhatEndsIsForgottenAtOnce(t *testing.T) {
	clock := now()
	p, i := startIntrospector(t, &clock)
	use(t, p, i, "a")
	p.ForgetAgreement(uuid.New())
	if got := use(t, p, i, "a"); got != 1 {
		t.Errorf("another agreement's end: asked %d times", got)
	}
	p.ForgetAgreement(uuid.MustParse(agreementID))
	if got := use(t, p, i, "a"); got != 2 {
		t.Errorf("its agreement's end: asked %d times", got)
	}
	if err := p.DeleteClient(t.Context(), "c1"); err != nil {
		t.Fatal(err)
	}
	if got := use(t, p, i, "a"); got != 4 { // with the deletion
		t.Errorf("its app's end: asked %d times", got)
	}
}

// Whoever repeats a token that isn't valid costs Hydra one question in a while,
// and pushes out no valid one.
func TestATokenThatIsNotValidIsAskedAboutOnceIn5Seconds(t *testing.T) {
	clock := now()
	var asked atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		w.Header().Set("Content-Type", "application/json")
		if r.FormValue("token") == "good" {
			fmt.Fprint(w, strings.Replace(activeToken, "1800000001", "1800003600", 1))
			return
		}
		fmt.Fprint(w, `{"active":false}`)
	}))
	defer server.Close()
	admin, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	p := oauth.New(oauth.Options{AdminURL: admin, PublicURL: admin, Audience: audience, Now: func() time.Time { return clock }})
	if _, err := p.Introspect(t.Context(), "good"); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		if _, err := p.Introspect(t.Context(), "bad"); problem.CodeOf(err) != problem.Unauthenticated {
			t.Error(err)
		}
	}
	if n := asked.Load(); n != 2 {
		t.Errorf("asked %d times", n)
	}
	for n := range 10_001 {
		_, _ = p.Introspect(t.Context(), fmt.Sprint("bad", n))
	}
	before := asked.Load()
	if _, err := p.Introspect(t.Context(), "good"); err != nil || asked.Load() != before {
		t.Errorf("the valid one was pushed out: %v", err)
	}
	clock = clock.Add(5 * time.Second)
	if _, err := p.Introspect(t.Context(), "bad10000"); err == nil || asked.Load() != before+1 {
		t.Errorf("after 5 s: %v, asked %d times", err, asked.Load()-before)
	}
}

// An answer that was on its way when something ended may be from before.
func TestAnAnswerFromBeforeTheEndIsNotKept(t *testing.T) {
	clock := now()
	p, i := startIntrospector(t, &clock)
	i.before = func() { p.ForgetAgreement(uuid.MustParse(agreementID)) }
	use(t, p, i, "a")
	i.before = nil
	if got := use(t, p, i, "a"); got != 2 {
		t.Errorf("asked %d times", got)
	}
}

func TestAnyNumberOfTokensFits(t *testing.T) {
	clock := now()
	p, i := startIntrospector(t, &clock)
	for n := range 10_001 {
		use(t, p, i, fmt.Sprint(n))
	}
	if got := use(t, p, i, "10000"); got != 10_001 {
		t.Errorf("the last one isn't kept: asked %d times", got)
	}
}

// Many who use one token at once are one question to Hydra, and one of them who
// gives up takes the answer from nobody.
func TestOneQuestionForAllWhoAskAtOnce(t *testing.T) {
	clock := time.Unix(1_800_000_000, 0)
	p, i := startIntrospector(t, &clock)
	asked, answer := make(chan struct{}), make(chan struct{})
	var once sync.Once
	i.before = func() {
		once.Do(func() { close(asked) })
		<-answer
	}
	impatient, giveUp := context.WithCancel(t.Context())
	gaveUp := make(chan error, 1)
	go func() {
		_, err := p.Introspect(impatient, "token")
		gaveUp <- err
	}()
	<-asked
	var wait sync.WaitGroup
	for range 20 {
		wait.Go(func() {
			if _, err := p.Introspect(t.Context(), "token"); err != nil {
				t.Error(err)
			}
		})
	}
	giveUp()
	if err := <-gaveUp; problem.CodeOf(err) != problem.Unavailable {
		t.Errorf("who gave up: %v", err)
	}
	close(answer)
	wait.Wait()
	if n := i.asked.Load(); n != 1 {
		t.Errorf("asked %d times", n)
	}
}

// Whoever comes when the answer is just there asks no second question: of many
// tokens, valid or not, each is asked about once.
func TestNoSecondQuestionWhenTheAnswerIsThere(t *testing.T) {
	clock := now()
	p, i := startIntrospector(t, &clock)
	i.refuses = func(token string) bool { return strings.HasPrefix(token, "bad") }
	const tokens = 200
	for n := range tokens {
		token := fmt.Sprint([]string{"good", "bad"}[n%2], n)
		var wait sync.WaitGroup
		for range 16 {
			wait.Go(func() {
				if _, err := p.Introspect(t.Context(), token); (err != nil) != i.refuses(token) {
					t.Errorf("%s: %v", token, err)
				}
			})
		}
		wait.Wait()
	}
	if n := i.asked.Load(); n != tokens {
		t.Errorf("asked %d times about %d tokens", n, tokens)
	}
}
