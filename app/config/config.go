// Package config reads the program's configuration: environment variables
// only, prefix POCHI_. The struct below is all there is; its doc tags make the
// table in the README.
package config

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"pochi/app/rates"
	"pochi/ilp/address"
	"pochi/ledger"

	"github.com/caarlos0/env/v11"
)

// Config is what the environment says. Its zero value is not usable: Load it.
type Config struct {
	Env            string        `env:"ENV" envDefault:"dev" doc:"dev or production"`
	Data           string        `env:"DATA" envDefault:"data" doc:"folder for databases and secrets"`
	DB             string        `env:"DB" doc:"the wallet's database; sqlite:DATA/pochi.db when empty"`
	PublicURL      string        `env:"PUBLIC_URL" envDefault:"http://localhost:3000" doc:"where people and other wallets reach this one; https in production"`
	Listen         string        `env:"LISTEN" envDefault:"127.0.0.1:3000" doc:"address of the pages and APIs"`
	OpsListen      string        `env:"OPS_LISTEN" envDefault:"127.0.0.1:3003" doc:"address of /healthz and /metrics, and of Hydra's questions"`
	ILPListen      string        `env:"ILP_LISTEN" envDefault:"127.0.0.1:3002" doc:"address where peers' packets come in, at POST /ilp; in production on this machine, unless a proxy elsewhere is in TRUSTED_PROXIES"`
	ILPPublicURL   string        `env:"ILP_PUBLIC_URL" doc:"where peers and apps reach ILP_LISTEN: https, and in dev http://ILP_LISTEN when empty; without it no peer can be asynchronous, and no app sends packets"`
	ILPAddress     string        `env:"ILP_ADDRESS" envDefault:"test.pochi" doc:"this node's ILP address; in production none of a test network"`
	HydraAdminURL  string        `env:"HYDRA_ADMIN_URL" envDefault:"http://127.0.0.1:4445" doc:"Ory Hydra's admin API"`
	HydraPublicURL string        `env:"HYDRA_PUBLIC_URL" envDefault:"http://localhost:4444" doc:"where browsers and apps reach Ory Hydra"`
	Secret         string        `env:"SECRET" doc:"at least 32 characters; in dev one is made in DATA at the first start"`
	Currencies     string        `env:"CURRENCIES" envDefault:"USD/2,EUR/2,GBP/2,JPY/0,KES/2,MXN/2" doc:"currencies people can choose, each with its decimals"`
	Rates          string        `env:"RATES" envDefault:"USD=1,EUR=0.9137,GBP=0.7812,JPY=149.62,KES=129.5,MXN=18.42" doc:"one and the same value in each currency"`
	ExchangeLimit  uint64        `env:"EXCHANGE_LIMIT" envDefault:"1000000000" doc:"how much the wallet may owe from exchanging, in whole units of each currency"`
	StepUp         uint64        `env:"STEP_UP" envDefault:"1000" doc:"who allows an app more than this in four weeks, in whole units of the currency, types their password again; 0 for nobody"`
	QuoteTTL       time.Duration `env:"QUOTE_TTL" envDefault:"2m" doc:"how long a quote can be confirmed"`
	SendTimeout    time.Duration `env:"SEND_TIMEOUT" envDefault:"1m" doc:"how long a confirmed payment may take"`
	TrustedProxies []string      `env:"TRUSTED_PROXIES" doc:"addresses or ranges of the proxies in front, separated by commas, whose X-Real-Ip header says who asks; none when there are none, which production has to say"`
	Faucet         string        `env:"FAUCET" envDefault:"auto" doc:"test money for everybody: on, off, or auto (on in dev); never in production"`
}

const secretMin = 32

// Load reads the variables that getenv knows and checks them. An error names
// the variable.
func Load(getenv func(string) string) (Config, error) {
	c, err := parse(getenv, func(string) bool { return true })
	if err != nil {
		return Config{}, err
	}
	c.simplify()
	if err := c.validate(); err != nil {
		return Config{}, err
	}
	proxies, err := parseProxies(c.TrustedProxies)
	if err != nil {
		return Config{}, err
	}
	c.TrustedProxies = proxies
	if err := c.validateILPListen(); err != nil {
		return Config{}, err
	}
	return c, nil
}

// LoadFiles reads and checks what the commands use that look after the wallet's
// files: ENV, DATA and DB. Whoever runs them needs none of its secrets. The rest
// of the Config is not to be used.
func LoadFiles(getenv func(string) string) (Config, error) {
	return loadSome(getenv, fileVariables)
}

// LoadRates is LoadFiles for the commands that look after exchange rates: they
// use RATES and CURRENCIES too.
func LoadRates(getenv func(string) string) (Config, error) {
	c, err := loadSome(getenv, append([]string{prefix + "RATES", prefix + "CURRENCIES"}, fileVariables...))
	if err != nil {
		return Config{}, err
	}
	_, noTable := c.RateTable()
	_, noAssets := c.Assets()
	return c, errors.Join(noTable, noAssets)
}

func loadSome(getenv func(string) string, names []string) (Config, error) {
	c, err := parse(getenv, func(name string) bool { return slices.Contains(names, name) })
	if err != nil {
		return Config{}, err
	}
	return c, c.validateEnv()
}

// LoadAdmin is LoadFiles for the commands that add people, peers and clients,
// which a wallet that runs does with its own configuration: besides it reads
// ILP_ADDRESS, ILP_LISTEN, ILP_PUBLIC_URL, PUBLIC_URL, CURRENCIES, EXCHANGE_LIMIT,
// HYDRA_ADMIN_URL and HYDRA_PUBLIC_URL.
func LoadAdmin(getenv func(string) string) (Config, error) {
	c, err := parse(getenv, func(name string) bool { return slices.Contains(adminVariables, name) })
	if err != nil {
		return Config{}, err
	}
	c.simplify()
	for _, check := range []func() error{c.validateEnv, c.validateAddresses, c.validateCurrencies} {
		if err := check(); err != nil {
			return Config{}, err
		}
	}
	return c, nil
}

var adminVariables = append([]string{
	prefix + "ILP_ADDRESS", prefix + "ILP_LISTEN", prefix + "ILP_PUBLIC_URL", prefix + "PUBLIC_URL", prefix + "CURRENCIES", prefix + "EXCHANGE_LIMIT",
	prefix + "HYDRA_ADMIN_URL", prefix + "HYDRA_PUBLIC_URL",
}, fileVariables...)

// simplify writes addresses in one way only.
func (c *Config) simplify() {
	c.PublicURL = canonical(strings.TrimSuffix(c.PublicURL, "/"))
	c.HydraPublicURL = strings.TrimSuffix(c.HydraPublicURL, "/")
	c.ILPPublicURL = strings.TrimSuffix(c.ILPPublicURL, "/")
}

var fileVariables = []string{prefix + "ENV", prefix + "DATA", prefix + "DB"}

// parse reads the variables that are wanted; the others have their defaults.
func parse(getenv func(string) string, wanted func(name string) bool) (Config, error) {
	var c Config
	environment := map[string]string{}
	for _, v := range Variables() {
		if value := getenv(v.Name); value != "" && wanted(v.Name) {
			environment[v.Name] = value
		}
	}
	if err := env.ParseWithOptions(&c, env.Options{Prefix: prefix, Environment: environment}); err != nil {
		return Config{}, unreadable(err, environment)
	}
	if c.DB == "" {
		c.DB = "sqlite:" + filepath.Join(c.Data, "pochi.db")
	}
	return c, nil
}

// Production reports whether real people's money is meant.
func (c Config) Production() bool { return c.Env == "production" }

// FaucetOn reports whether people can add test money.
func (c Config) FaucetOn() bool { return c.Faucet == "on" || c.Faucet == "auto" && !c.Production() }

// Host is the host of our own payment pointers, with the port if it has one.
func (c Config) Host() string { return c.publicURL().Host }

// Assets returns the currencies that people can choose.
func (c Config) Assets() ([]ledger.Asset, error) {
	var out []ledger.Asset
	seen := map[string]bool{}
	for entry := range strings.SplitSeq(c.Currencies, ",") {
		code, scale, _ := strings.Cut(strings.TrimSpace(entry), "/")
		n, err := strconv.ParseUint(scale, 10, 8)
		if err != nil || n > ledger.ScaleMax || len(code) < 2 || len(code) > 10 {
			return nil, fmt.Errorf("POCHI_CURRENCIES: %q: want CODE/DECIMALS with at most %d decimals", entry, ledger.ScaleMax)
		}
		if seen[code] {
			return nil, fmt.Errorf("POCHI_CURRENCIES names %s twice", code)
		}
		seen[code] = true
		out = append(out, ledger.Asset{Code: code, Scale: uint8(n)})
	}
	return out, nil
}

// RateTable returns the exchange rates that no admin has to set.
func (c Config) RateTable() (rates.Table, error) {
	table, err := rates.Parse(c.Rates)
	if err != nil {
		return table, fmt.Errorf("POCHI_RATES: %w", err)
	}
	return table, nil
}

func (c Config) validateEnv() error {
	if c.Env != "dev" && c.Env != "production" {
		return fmt.Errorf("POCHI_ENV is %q: it must be dev or production", c.Env)
	}
	return nil
}

func (c Config) validate() error {
	for _, check := range []func() error{c.validateEnv, c.validateAddresses, c.validateMoney, c.validateProduction} {
		if err := check(); err != nil {
			return err
		}
	}
	return nil
}

func (c Config) validateMoney() error {
	if err := c.validateCurrencies(); err != nil {
		return err
	}
	assets, err := c.Assets()
	if err != nil {
		return err
	}
	table, err := c.RateTable()
	if err != nil {
		return err
	}
	for _, asset := range assets {
		if !table.Has(asset.Code) {
			return fmt.Errorf("POCHI_RATES has no rate for %s, which POCHI_CURRENCIES names", asset.Code)
		}
	}
	switch c.Faucet {
	case "auto", "on", "off":
	default:
		return fmt.Errorf("POCHI_FAUCET is %q: it must be on, off or auto", c.Faucet)
	}
	if c.QuoteTTL <= 0 || c.SendTimeout <= 0 {
		return fmt.Errorf("POCHI_QUOTE_TTL and POCHI_SEND_TIMEOUT must be more than 0")
	}
	return nil
}

func (c Config) validateCurrencies() error {
	assets, err := c.Assets()
	if err != nil {
		return err
	}
	for _, asset := range assets {
		if _, err := c.ExchangeLimitOf(asset); err != nil {
			return err
		}
	}
	return nil
}

// ExchangeLimitOf returns the exchange limit in the asset's smallest unit.
func (c Config) ExchangeLimitOf(asset ledger.Asset) (uint64, error) {
	amount, err := ledger.ParseAmount(strconv.FormatUint(c.ExchangeLimit, 10), asset)
	if err != nil {
		return 0, fmt.Errorf("POCHI_EXCHANGE_LIMIT is %d, for %s: %w", c.ExchangeLimit, asset, err)
	}
	return amount.Value, nil
}

// validateProduction refuses what is convenient on a laptop and dangerous
// elsewhere.
func (c Config) validateProduction() error {
	if c.Secret != "" && len(c.Secret) < secretMin {
		return fmt.Errorf("POCHI_SECRET is shorter than %d characters", secretMin)
	}
	if !c.Production() {
		return nil
	}
	switch {
	case c.Secret == "":
		return fmt.Errorf("POCHI_SECRET is missing: production doesn't make its own")
	case c.publicURL().Scheme != "https":
		return fmt.Errorf("POCHI_PUBLIC_URL must be https in production")
	case c.publicURL().Port() != "":
		return fmt.Errorf("POCHI_PUBLIC_URL must have no port in production: nobody can be paid at a pointer with one")
	case !strings.HasPrefix(c.HydraPublicURL, "https:"):
		return fmt.Errorf("POCHI_HYDRA_PUBLIC_URL must be https in production")
	case address.Address(c.ILPAddress).Test():
		return fmt.Errorf("POCHI_ILP_ADDRESS is %q, on a test network: production needs the address that it has where money is real, such as g.wallet", c.ILPAddress)
	case c.Rates == defaultOf("RATES"):
		return fmt.Errorf("POCHI_RATES is missing: production doesn't exchange at rates that nobody has set")
	case c.Faucet == "on":
		return fmt.Errorf("POCHI_FAUCET must not be on in production")
	case len(c.TrustedProxies) == 0:
		return fmt.Errorf("POCHI_TRUSTED_PROXIES is missing: name the proxies in front, else everybody behind them is one visitor; or say %s", noProxies)
	}
	return nil
}
