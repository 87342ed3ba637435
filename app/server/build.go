package server

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"time"

	"pochi/app/accounts"
	"pochi/app/admin"
	"pochi/app/agreements"
	"pochi/app/api"
	"pochi/app/apps"
	"pochi/app/config"
	"pochi/app/fetch"
	"pochi/app/notices"
	"pochi/app/oauth"
	"pochi/app/openapi"
	"pochi/app/payments"
	"pochi/app/peers"
	"pochi/app/rates"
	"pochi/app/sessions"
	"pochi/app/users"
	"pochi/app/web"
	"pochi/db"
	"pochi/ilp/ilphttp"
	"pochi/ilp/pointer"
	"pochi/ilp/spsp"
	"pochi/ilp/stream"
	"pochi/ledger"
	"pochi/static"

	"github.com/gofiber/fiber/v2"
)

// server is the program's parts that run.
type server struct {
	db         *db.DB
	payments   *payments.Service
	agreements *agreements.Service
	apps       *apps.Service
	rates      *rates.Book
	peers      *peers.Service
	node       *node
	pages      *fiber.App
	health     http.Handler
	metrics    http.Handler
	hook       http.Handler // of Hydra
	admin      http.Handler
	about      config.Config // for the log
	log        *slog.Logger
}

// build makes every part and joins them: what a part needs is handed to it.
func build(ctx context.Context, cfg config.Config, d *db.DB, log *slog.Logger) (*server, error) {
	secrets, err := cfg.Secrets()
	if err != nil {
		return nil, err
	}
	books, err := ledger.Open(ctx, d)
	if err != nil {
		return nil, err
	}
	exchange, err := openRates(ctx, cfg, d)
	if err != nil {
		return nil, err
	}
	currencies, err := openCurrencies(ctx, cfg, books)
	if err != nil {
		return nil, err
	}
	persons := accounts.New(d, books, currencies, time.Now)
	allowed := buildAgreements(cfg, d, books, currencies, log)
	persons.KeepOpen(allowed)
	pending := new(ilphttp.Pending)
	link, err := buildPeerClient(cfg, pending, log)
	if err != nil {
		return nil, err
	}
	money, err := payments.NewBooks(ctx, payments.BooksConfig{
		DB: d, Writer: d.Writer, Ledger: books, Spent: allowed.Spent, Now: time.Now, Log: log,
	})
	if err != nil {
		return nil, err
	}
	provider, err := buildProvider(cfg)
	if err != nil {
		return nil, err
	}
	allowed.OnEnd(provider.ForgetAgreement)
	hookKey, err := cfg.HookKey()
	if err != nil {
		return nil, err
	}
	registered := apps.New(d, provider, allowed, time.Now)
	tokens := noting{provider, registered, log}
	interledger, err := buildNode(cfg, d, secrets, nodeParts{money, exchange, allowed, tokens, link, pending}, log)
	if err != nil {
		return nil, err
	}
	pay := buildPayments(cfg, d, books, persons, allowed, exchange, interledger, log)
	nodes := buildPeers(cfg, d, books, link)
	signIn := users.New(d, books, persons, users.Options{})
	newcomers := people{db: d, users: signIn, accounts: persons, host: cfg.Host()}
	pages, err := buildPages(cfg, d, parts{signIn, persons, pay, allowed, registered, provider, currencies, exchange}, secrets, log)
	if err != nil {
		return nil, err
	}
	return &server{
		db: d, payments: pay, agreements: allowed, apps: registered, rates: exchange, peers: nodes, node: interledger, pages: pages,
		health:  health{db: d, hydra: provider, rates: exchange},
		metrics: metrics{connector: interledger.connector, payments: pay, writer: d.Writer, rates: exchange, log: log},
		hook:    oauth.TokenHook{Key: hookKey, Agreements: allowed, Apps: registered, Clients: provider, Log: log},
		admin:   buildAdmin(cfg, d, books, exchange, nodes, newcomers, provider, registered, log), about: cfg, log: log,
	}, nil
}

// openRates reads the configuration's exchange rates, and those that admins have
// set.
func openRates(ctx context.Context, cfg config.Config, d *db.DB) (*rates.Book, error) {
	table, err := cfg.RateTable()
	if err != nil {
		return nil, err
	}
	assets, err := cfg.Assets()
	if err != nil {
		return nil, err
	}
	codes := make([]string, len(assets))
	for i, asset := range assets {
		codes[i] = asset.Code
	}
	return rates.Open(ctx, d, table, codes, time.Now)
}

func openCurrencies(ctx context.Context, cfg config.Config, books *ledger.Ledger) ([]ledger.Asset, error) {
	currencies, err := cfg.Assets()
	if err != nil {
		return nil, err
	}
	for _, asset := range currencies {
		limit, err := cfg.ExchangeLimitOf(asset)
		if err != nil {
			return nil, err
		}
		if _, err := books.OpenAsset(ctx, asset, limit); err != nil {
			return nil, err
		}
		if _, err := books.OpenAuthority(ctx, asset); err != nil {
			return nil, err
		}
	}
	return currencies, nil
}

// buildAgreements makes what keeps people's agreements with apps.
func buildAgreements(cfg config.Config, d *db.DB, books *ledger.Ledger, currencies []ledger.Asset, log *slog.Logger) *agreements.Service {
	return agreements.New(agreements.Config{
		DB: d, Writer: d.Writer, Ledger: books, Currencies: currencies,
		Pointers: pointer.Parser{AllowLoopback: !cfg.Production()}, Now: time.Now, Log: log,
	})
}

// buildPayments makes what sends people's payments: their packets go through
// the node's connector.
func buildPayments(cfg config.Config, d *db.DB, books *ledger.Ledger, people *accounts.Service, allowed *agreements.Service,
	exchange *rates.Book, n *node, log *slog.Logger) *payments.Service {
	return payments.New(payments.Config{
		DB: d, Ledger: books, Accounts: people, Links: n.connector, Address: n.receiver.Prefix(), Credentials: n.receiver, Rates: exchange,
		Agreements: allowed,
		SPSP:       spsp.Client{HTTP: fetch.New(fetch.Options{AllowLoopback: !cfg.Production()})},
		Pointers:   pointer.Parser{AllowLoopback: !cfg.Production()}, Host: cfg.Host(),
		QuoteTTL: cfg.QuoteTTL, SendTimeout: cfg.SendTimeout,
		Clock: stream.SystemClock{}, Random: rand.Reader, Log: log,
	})
}

func buildProvider(cfg config.Config) (*oauth.Provider, error) {
	admin, err := url.Parse(cfg.HydraAdminURL)
	if err != nil {
		return nil, fmt.Errorf("POCHI_HYDRA_ADMIN_URL: %w", err)
	}
	public, err := url.Parse(cfg.HydraPublicURL)
	if err != nil {
		return nil, fmt.Errorf("POCHI_HYDRA_PUBLIC_URL: %w", err)
	}
	currencies, err := cfg.Assets()
	if err != nil {
		return nil, err
	}
	return oauth.New(oauth.Options{
		AdminURL: admin, PublicURL: public, Audience: cfg.PublicURL,
		Terms: termsReader(cfg, currencies),
	}), nil
}

// termsReader is what reads the agreements that apps ask for.
func termsReader(cfg config.Config, currencies []ledger.Asset) oauth.TermsReader {
	return oauth.TermsReader{Pointers: pointer.Parser{AllowLoopback: !cfg.Production()}, Assets: currencies}
}

type parts struct {
	users      *users.Service
	accounts   *accounts.Service
	payments   *payments.Service
	agreements *agreements.Service
	apps       *apps.Service
	provider   *oauth.Provider
	currencies []ledger.Asset
	rates      *rates.Book
}

// buildPages mounts the APIs for other programs and the pages for people:
// tokens guard the former, cookies and CSRF tokens the latter.
func buildPages(cfg config.Config, d *db.DB, p parts, secrets config.Secrets, log *slog.Logger) (*fiber.App, error) {
	assets, err := static.New()
	if err != nil {
		return nil, err
	}
	public, err := url.Parse(cfg.PublicURL)
	if err != nil {
		return nil, fmt.Errorf("POCHI_PUBLIC_URL: %w", err)
	}
	key, err := secrets.Key("csrf")
	if err != nil {
		return nil, err
	}
	seal, err := secrets.Key("consent")
	if err != nil {
		return nil, err
	}
	guard, err := web.NewCSRF(web.CSRFOptions{
		Key: key[:], PublicURL: public, Production: cfg.Production(), LoggedOut: web.LoggedOutForms,
	})
	if err != nil {
		return nil, err
	}
	reference, err := openapi.Parse(api.Document())
	if err != nil {
		return nil, err
	}
	site := &web.Site{
		API:   reference,
		Guard: guard.Protect, News: web.NewNews(public, cfg.Production()), Limits: web.NewLimits(),
		Users: p.users, Accounts: p.accounts, Pointers: p.accounts, Quotes: p.payments, Payments: p.payments, Offers: p.payments,
		Requests:   p.payments,
		Agreements: p.agreements, AgreementPayments: p.payments, Notices: notices.New(d, time.Now), Apps: p.apps, Connections: p.provider, Rates: p.rates,
		OAuth:      web.OAuth{Logins: p.provider, Consents: p.provider, Logouts: p.provider, Approvals: p.agreements, Logos: p.apps, Apps: p.apps, Key: seal, StepUp: cfg.StepUp},
		Sessions:   sessions.New(d, sessions.Options{CookieName: sessions.CookieName("pochi", public, cfg.Production()), Secure: cfg.Production()}),
		Currencies: p.currencies, Assets: assets,
		Host: cfg.Host(), PublicURL: cfg.PublicURL, HydraURL: cfg.HydraPublicURL, Written: d.Writer.Seq, Now: time.Now, Log: log,
	}
	if cfg.FaucetOn() {
		site.Faucet = p.payments
	}
	apis := buildAPI(cfg, d, p, log)
	app := newFiber(web.Unrouted(log, cfg.Production(), nil, apis.OrElse(site.ShowError)), cfg.TrustedProxies)
	app.Use(web.AssignRequestID(nil), web.AccessLog(log, time.Now), web.SecurityHeaders(cfg.Production()), web.Recover,
		web.Deadline(requestMax))
	apis.Register(app)
	site.Routes(app)
	return app, nil
}

// buildAPI makes what answers apps and the back office.
func buildAPI(cfg config.Config, d *db.DB, p parts, log *slog.Logger) *api.API {
	return api.New(api.Options{
		Tokens: noting{p.provider, p.apps, log}, Clients: p.provider, People: p.users, Accounts: p.accounts, Pointers: p.accounts,
		Agreements: p.agreements, Charges: p.payments, History: p.payments, Requests: p.payments, Terms: termsReader(cfg, p.currencies),
		Office:   admin.Office{DB: d, Rates: p.rates, Log: log},
		Audience: cfg.PublicURL, Host: cfg.Host(), PacketsURL: cfg.AgreementsURL(), RequestsURL: cfg.PublicURL + "/requests/",
	})
}
