package bench

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"pochi/app/accounts"
	"pochi/app/admin"
	"pochi/app/config"
	"pochi/app/payments"
	"pochi/app/peers"
	"pochi/app/server"
	"pochi/app/sessions"
	"pochi/db"
	"pochi/ledger"

	"github.com/google/uuid"
	"golang.org/x/sync/errgroup"
)

// person is somebody in a wallet, who is logged in.
type person struct {
	Name    string // also of their pointer
	Asset   string // currency of their account
	Balance uint64 // in its smallest unit
}

func (p person) id() uuid.UUID { return uuid.NewSHA1(uuid.Nil, []byte(p.Name)) }

// token is what the person's browser is known by.
func (p person) token() [32]byte { return sha256.Sum256([]byte("session of " + p.Name)) }

// walletSpec is what a wallet's process is told.
type walletSpec struct {
	Environment map[string]string
	People      []person
}

// serveWallet makes the people, and is then the wallet itself until in ends. Its log goes to a file.
func serveWallet(spec []byte, in *bufio.Reader) error {
	var s walletSpec
	if err := json.Unmarshal(spec, &s); err != nil {
		return err
	}
	cfg, err := config.Load(func(name string) string { return s.Environment[name] })
	if err != nil {
		return err
	}
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	if err := addPeople(ctx, cfg, s.People); err != nil {
		return err
	}
	f, err := os.Create(filepath.Join(cfg.Data, "log"))
	if err != nil {
		return err
	}
	defer f.Close()
	var asked error
	ready := func() {
		go func() {
			fmt.Println("serving")
			asked = answerQuestions(in)
			stop()
		}()
	}
	return errors.Join(server.Run(ctx, cfg, slog.New(slog.NewTextHandler(f, nil)), ready), asked)
}

// addPeople adds people with what they begin with, in bulk: nobody has typed a password, and each is logged in.
func addPeople(ctx context.Context, cfg config.Config, all []person) error {
	d, err := db.Open(ctx, db.Options{URL: cfg.DB})
	if err != nil {
		return err
	}
	books, err := ledger.Open(ctx, d)
	if err != nil {
		return errors.Join(err, d.Close())
	}
	currencies, err := cfg.Assets()
	if err != nil {
		return errors.Join(err, d.Close())
	}
	for _, asset := range currencies {
		limit, err := cfg.ExchangeLimitOf(asset)
		if err == nil {
			_, err = books.OpenAsset(ctx, asset, limit)
		}
		if err != nil {
			return errors.Join(err, d.Close())
		}
	}
	add := adding{d, books, accounts.New(d, books, currencies, time.Now)}
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(64)
	for _, p := range all {
		group.Go(func() error { return add.person(ctx, p) })
	}
	if err := group.Wait(); err != nil || len(all) == 0 {
		return errors.Join(err, d.Close())
	}
	return errors.Join(add.apps(all[0]), d.Close())
}

type adding struct {
	db       *db.DB
	ledger   *ledger.Ledger
	accounts *accounts.Service
}

func (a adding) person(ctx context.Context, p person) error {
	opening := payments.Opening{Opener: a.accounts, DB: a.db, Balance: p.Balance, Now: time.Now}
	id := p.id()
	chain, rows, err := opening.Opening(ctx, id, p.Asset, p.Name)
	if err != nil {
		return fmt.Errorf("add %s: %w", p.Name, err)
	}
	token := p.token()
	hash, now := sha256.Sum256(token[:]), time.Now()
	return a.ledger.Submit(ctx, chain, func(tx db.Tx) error {
		_, err := tx.ExecContext(ctx, "INSERT INTO users (id, email, name, password_hash, created_at) VALUES (?, ?, ?, '', ?)",
			id[:], p.Name+"@wallet.example", p.Name, now.UnixMicro())
		if err != nil {
			return err
		}
		if err := rows(tx); err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO sessions (token_hash, user_id, user_agent, address, created_at, last_seen_at, expires_at)
			VALUES (?, ?, '', '', ?, ?, ?)`, hash[:], id[:], now.UnixMicro(), now.UnixMicro(), now.Add(24*time.Hour).UnixMicro())
		return err
	})
}

// appsMost is how many apps the benchmarks have beside "app", by their numbers.
const appsMost = 101

// apps registers them all for one person.
func (a adding) apps(owner person) error {
	ctx, id := context.Background(), owner.id()
	return a.db.Write(ctx, func(tx db.Tx) error {
		for n := range appsMost + 1 {
			client := "app"
			if n < appsMost {
				client += strconv.Itoa(n)
			}
			_, err := tx.ExecContext(ctx, `INSERT INTO apps (client_id, owner, name, confidential, redirect_uris, policy_url, terms_url,
				revision, settled, created_at) VALUES (?, ?, 'The shop', 1, 'https://shop.example/back', '', '', 1, 1, 0)`, client, id[:])
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// wallet is a wallet that serves in a process of its own.
type wallet struct {
	*child
	data, database string
	address        string // on the Interledger
	pages, packets string // host and port
	cookie         string // name of the session's
}

// startWallet starts a wallet whose ILP address is test. and its name, with the variables given in pairs. Unless they name one it has
// no Hydra.
func startWallet(b *testing.B, name string, people []person, variables ...string) *wallet {
	b.Helper()
	ports := freePorts(b, 3)
	w := &wallet{
		data: b.TempDir(), address: "test." + name, pages: "localhost:" + ports[0], packets: "127.0.0.1:" + ports[1],
	}
	w.database = "sqlite:" + filepath.Join(w.data, "pochi.db")
	public := &url.URL{Scheme: "http", Host: w.pages}
	w.cookie = sessions.CookieName("pochi", public, false)
	environment := map[string]string{
		"POCHI_DATA": w.data, "POCHI_PUBLIC_URL": public.String(), "POCHI_LISTEN": "127.0.0.1:" + ports[0],
		"POCHI_ILP_LISTEN": w.packets, "POCHI_ILP_ADDRESS": w.address, "POCHI_OPS_LISTEN": "127.0.0.1:" + ports[2],
		"POCHI_HYDRA_ADMIN_URL": "http://127.0.0.1:1",
	}
	for i := 0; i < len(variables); i += 2 {
		environment[variables[i]] = variables[i+1]
	}
	w.child = startChild(b, "wallet", walletSpec{environment, people})
	return w
}

// pointer returns the payment pointer of a person.
func (w *wallet) pointer(p person) string { return "$" + w.pages + "/" + p.Name }

// session returns the cookie of a person.
func (w *wallet) session(p person) string {
	token := p.token()
	return w.cookie + "=" + base64.RawURLEncoding.EncodeToString(token[:])
}

// addPeer makes a peer that counts USD/2 and may owe as much as it likes.
func (w *wallet) addPeer(name string, terms peers.Change) {
	w.b.Helper()
	limit := uint64(1) << 60
	terms.CreditLimit = &limit
	_, err := admin.Client{Data: w.data, DB: w.database}.AddPeer(context.Background(), name, admin.NewPeer{Asset: "USD/2", Terms: terms})
	if err != nil {
		w.b.Fatal(err)
	}
}

// tokenBetween is what one node is known by at another.
func tokenBetween(from, to string) peers.Token {
	return peers.Token("token-of-" + from + "-at-" + to)
}

// peerWith joins two wallets, both ways. Beyond says what else lies behind the other one.
func (w *wallet) peerWith(other *wallet, beyond ...string) {
	w.b.Helper()
	url := "http://" + other.packets + "/ilp"
	outgoing := tokenBetween(w.address, other.address)
	w.addPeer(other.address[len("test."):], peers.Change{
		Address: &other.address, AddTokens: []peers.Token{tokenBetween(other.address, w.address)},
		OutgoingURL: &url, OutgoingToken: &outgoing, Routes: beyond, SetRoutes: true,
	})
}

// freePorts returns ports that nobody listens at.
func freePorts(b *testing.B, n int) []string {
	b.Helper()
	ports := make([]string, n)
	for i := range ports {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		defer l.Close() // at the end, so that no two are the same
		_, ports[i], err = net.SplitHostPort(l.Addr().String())
		if err != nil {
			b.Fatal(err)
		}
	}
	return ports
}
