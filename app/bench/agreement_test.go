package bench

import (
	"errors"
	"fmt"
	"sync"
	"testing"
)

// agreement is somebody's with an app, about their account in USD.
type agreement struct{ id, token string }

// startAgreed starts a wallet that asks a Hydra of its own.
func startAgreed(b *testing.B, name string, people []person) (*wallet, *hydra) {
	b.Helper()
	h := startHydra(b)
	w := startWallet(b, name, people, "POCHI_HYDRA_ADMIN_URL", h.URL, "POCHI_STEP_UP", "0")
	h.audience = "http://" + w.pages
	return w, h
}

// agree has people consent to what apps ask, on the page for that, some at once. The agreements are in the order of the consents.
func (w *wallet) agree(h *hydra, consents []consent) []agreement {
	w.b.Helper()
	made, errs := make([]agreement, len(consents)), make([]error, clients)
	var wait sync.WaitGroup
	for n := range clients {
		wait.Go(func() {
			for i := n; i < len(consents) && errs[n] == nil; i += clients {
				made[i], errs[n] = w.consent(h, consents[i])
			}
		})
	}
	wait.Wait()
	if err := errors.Join(errs...); err != nil {
		w.b.Fatal(err)
	}
	return made
}

// consent has somebody allow what an app asks.
func (w *wallet) consent(h *hydra, c consent) (agreement, error) {
	conn, err := call(w.pages)
	if err != nil {
		return agreement{}, err
	}
	defer conn.Close()
	me, err := w.open(conn, c.person)
	if err != nil {
		return agreement{}, err
	}
	h.ask(c)
	page, err := me.get(c.page())
	if err != nil {
		return agreement{}, err
	}
	seal := string(between(page.body, `name="seal" value="`, `"`))
	_, err = me.post("/oauth/consent", "consent_challenge", c.challenge(), "seal", seal, "account", me.account,
		"amount", fmt.Sprintf("%d.00", mostOf/100), "decision", "allow")
	if err != nil {
		return agreement{}, err
	}
	made := agreement{h.agreementOf(c), c.token()}
	if made.id == "" {
		return made, fmt.Errorf("no agreement came of %s", c.challenge())
	}
	return made, nil
}

// page is where the person is asked.
func (c consent) page() string { return "/oauth/consent?consent_challenge=" + c.challenge() }
