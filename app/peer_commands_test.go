package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"pochi/app/admin"
	"pochi/app/problem"
	"pochi/app/server"
	"pochi/db"
	"pochi/ilp"
	"pochi/ilp/address"
	"pochi/ilp/ildcp"
	"pochi/ilp/packet"

	"github.com/google/uuid"
)

const (
	bobToken  = "a-token-that-bob-calls-with-0123"
	nextToken = "a-token-that-bob-calls-with-4567"
	ourToken  = "what-bob-knows-this-wallet-by"
)

// loggedWallet runs the configured wallet, and returns what ends it and returns
// its log.
func loggedWallet(t *testing.T) (logged func() string) {
	t.Helper()
	var text bytes.Buffer
	ctx, cancel := context.WithCancel(context.Background())
	ready, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- server.Run(ctx, newConfig(t), slog.New(slog.NewTextHandler(&text, nil)), func() { close(ready) })
	}()
	select {
	case <-ready:
	case err := <-ended:
		t.Fatal(err)
	}
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(stop)
	return func() string { stop(); return text.String() }
}

// one runs a command that prints one object.
func one[T any](t *testing.T, args ...string) T {
	t.Helper()
	text, err := pochi(t, args...)
	all := objects[T](t, text, err)
	if len(all) != 1 {
		t.Fatalf("%q prints %s", args, text)
	}
	for _, token := range []string{bobToken, nextToken, ourToken} {
		if strings.Contains(text, token) {
			t.Errorf("%q prints a token: %s", args, text)
		}
	}
	return all[0]
}

// The life of a peer, with a wallet that runs and without one.
func TestPeerCommands(t *testing.T) {
	for name, running := range map[string]bool{"without a wallet": false, "beside a running wallet": true} {
		t.Run(name, func(t *testing.T) {
			data := newData(t)
			t.Setenv("POCHI_ILP_PUBLIC_URL", "https://ilp.wallet.example")
			logged := loggedWallet(t)
			if !running {
				logged()
			}
			file := filepath.Join(data, "token")
			if err := os.WriteFile(file, []byte(ourToken+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			add := []string{"admin", "peer", "add", "bob", "--ilp-address", "test.bob", "--asset", "XRP/9", "--incoming-token", bobToken,
				"--outgoing-url", "http://127.0.0.1:1/ilp", "--outgoing-token", "@" + file, "--credit-limit", "100", "--max-packet", "7",
				"--routes", "test.x, test.y", "--default-route"}
			bob := one[admin.Peer](t, add...)
			if bob.Name != "bob" || bob.Asset != "XRP/9" || !bob.HasOutgoingToken || bob.Tokens.Count != 1 || len(bob.Tokens.Hashes[0]) != 8 ||
				bob.CreditLimit != 100 || bob.MaxPacket != 7 || len(bob.Routes) != 2 || !bob.Default || bob.Repeated {
				t.Errorf("%+v", bob)
			}
			if again := one[admin.Peer](t, add...); again.ID != bob.ID || !again.Repeated {
				t.Errorf("again: %+v", again)
			}
			for _, other := range [][]string{{"--credit-limit", "101"}, {"--incoming-token", nextToken}, {"--no-default-route"}} {
				if text, err := pochi(t, append(add, other...)...); problem.CodeOf(err) != problem.Conflict || text != "" {
					t.Errorf("again, with %q: %q, %v", other, text, err)
				}
			}
			hashes := bob.Tokens.Hashes
			bob = one[admin.Peer](t, "admin", "peer", "update", "bob", "--add-incoming-token", nextToken, "--remove-incoming-token", bobToken,
				"--routes", "", "--no-default-route", "--max-in-flight-count", "3")
			if bob.Tokens.Count != 1 || len(bob.Routes) != 0 || bob.Default || bob.MaxInFlightCount != 3 || bob.MaxPacket != 7 || bob.Repeated {
				t.Errorf("%+v", bob)
			}
			hashes = append(hashes, bob.Tokens.Hashes...)
			if bob = one[admin.Peer](t, "admin", "peer", "update", "bob", "--max-in-flight-count", "3"); !bob.Repeated {
				t.Errorf("%+v", bob)
			}
			if text, err := pochi(t, "admin", "peer", "update", "bob"); err == nil || text != "" || !strings.Contains(sentence(err), "nothing to change") {
				t.Errorf("update without a flag: %q, %v", text, err)
			}
			bob = one[admin.Peer](t, "admin", "peer", "update", "bob", "--async", "--callback-url", "https://bob.example/replies")
			if !bob.Async || bob.CallbackURL != "https://bob.example/replies" {
				t.Errorf("%+v", bob)
			}
			if bob = one[admin.Peer](t, "admin", "peer", "update", "bob", "--async=false"); bob.Async || bob.CallbackURL == "" {
				t.Errorf("%+v", bob)
			}
			bob = one[admin.Peer](t, "admin", "peer", "settle", "bob", "--received", "50")
			if bob.OwedToPeer != 50 || bob.OwedByPeer != 0 || bob.Settlement == nil || bob.Repeated {
				t.Errorf("%+v", bob)
			}
			if _, err := pochi(t, "admin", "peer", "remove", "bob"); problem.CodeOf(err) != problem.Conflict || !strings.Contains(sentence(err), "settle bob --paid 50") {
				t.Errorf("remove: %v", err)
			}
			id := uuid.Must(uuid.NewV7()).String()
			for _, repeated := range []bool{false, true} {
				bob = one[admin.Peer](t, "admin", "peer", "settle", "bob", "--paid", "50", "--id", id)
				if bob.OwedToPeer != 0 || bob.Settlement.String() != id || bob.Repeated != repeated {
					t.Errorf("%+v", bob)
				}
			}
			if listed := one[admin.Peer](t, "admin", "peer", "list"); listed.ID != bob.ID || !listed.HasOutgoingToken {
				t.Errorf("%+v", listed)
			}
			if _, err := pochi(t, "admin", "peer", "ping", "bob"); problem.CodeOf(err) != problem.Unavailable {
				t.Errorf("ping: %v", err)
			}
			wantOrder(t)
			if gone := one[admin.Peer](t, "admin", "peer", "remove", "bob"); gone.RemovedAt == nil || gone.Repeated {
				t.Errorf("%+v", gone)
			}
			if text, err := pochi(t, "admin", "peer", "list"); text != "" || err != nil {
				t.Errorf("%q, %v", text, err)
			}
			wantOrder(t)
			log := logged()
			for _, want := range []string{
				"path=/peers/bob/settle", "state=paid", "settlement=" + id, "peer=" + bob.ID.String(),
				`changed.ilp-address="none → test.bob"`, `changed.credit-limit="0 → 100"`, `changed.max-in-flight-count="0 → 3"`,
				`changed.incoming-token="` + hashes[0] + " → " + hashes[1] + `"`, `changed.routes="test.x,test.y → none"`, `changed.async="true → false"`,
			} {
				if running && !strings.Contains(log, want) {
					t.Errorf("the log doesn't say what was done, %s: %s", want, log)
				}
			}
			if strings.Contains(log, `=""`) || strings.Contains(log, `changed.max-packet="7`) {
				t.Errorf("the log says what there isn't: %s", log)
			}
			for _, token := range []string{bobToken, nextToken, ourToken} {
				if strings.Contains(log, token) {
					t.Errorf("the log has a token: %s", log)
				}
			}
		})
	}
}

// A token that looks like a flag is no argument, and not told to whoever reads the
// error.
func TestErrorsHideSecrets(t *testing.T) {
	newData(t)
	for _, args := range [][]string{
		{"peer", "update", "bob", "--outgoing-token", "-abcSECRET"},
		{"peer", "update", "bob", "--add-incoming-token", `-"SECRET"`},
		{"peer", "add", "bob", "--incoming-token", "--SECRET=x"},
		{"user", "add", "--password", "-SECRET"},
	} {
		_, err := pochi(t, append([]string{"admin"}, args...)...)
		if err == nil || strings.Contains(err.Error(), "SECRET") || !strings.Contains(err.Error(), args[len(args)-2]) || !strings.Contains(err.Error(), "pochi help admin") {
			t.Errorf("%q: %v", args, err)
		}
	}
}

// Who settles says one of two things.
func TestHelpOfSettle(t *testing.T) {
	for _, args := range [][]string{{"help", "admin", "peer", "settle"}, {"admin", "peer", "settle", "--help"}} {
		if text, err := pochi(t, args...); err != nil || !strings.Contains(text, "settle (--paid=N | --received=N) <name>") {
			t.Errorf("%q: %v, %s", args, err, text)
		}
	}
}

// A peer that money goes to or comes from, and nothing that bounds what is in flight, is worth a word.
func TestCreditWithoutABound(t *testing.T) {
	for _, test := range []struct {
		peer admin.Peer
		want bool
	}{
		{admin.Peer{Name: "bob"}, false},
		{admin.Peer{Name: "bob", CreditLimit: 1}, true},
		{admin.Peer{Name: "bob", OutgoingURL: "https://bob.example/ilp"}, true},
		{admin.Peer{Name: "bob", CreditLimit: 1, MaxInFlightValue: 1}, false},
	} {
		if text := unbounded(test.peer); strings.Contains(text, "--max-in-flight-value") != test.want || test.want != strings.Contains(text, "bob") {
			t.Errorf("%+v: %q", test.peer, text)
		}
	}
}

// The start says in one line what serves, and which peers get nothing.
func TestStartSaysWhatServes(t *testing.T) {
	newData(t)
	serving(t)()
	one[admin.Peer](t, "admin", "peer", "add", "bob", "--ilp-address", "test.bob", "--asset", "USD/2", "--incoming-token", bobToken)
	one[admin.Peer](t, "admin", "peer", "add", "eve", "--ilp-address", "test.eve", "--asset", "USD/2", "--incoming-token", nextToken,
		"--outgoing-url", "https://eve.example/ilp", "--outgoing-token", ourToken)
	log := loggedWallet(t)()
	for _, want := range []string{
		"level=INFO", "url=http://localhost:3000", "pages=127.0.0.1:", "ilp=127.0.0.1:", "ops=127.0.0.1:", "ilp_address=test.pochi",
		"database=sqlite:", "peers=2", "peers_that_take_no_packets=[bob]",
	} {
		if line, _, _ := strings.Cut(log, "\n"); !strings.Contains(line, want) {
			t.Errorf("the first line lacks %s: %s", want, log)
		}
	}
	if strings.Contains(log, ourToken) {
		t.Errorf("the log has a token: %s", log)
	}
}

// What is wrong is said with the flags that it is about, a line each.
func TestPeerCommandsFail(t *testing.T) {
	newData(t)
	serving(t)
	for _, test := range []struct {
		args []string
		want []string
	}{
		{[]string{"add", "bob"}, []string{"missing flags: --asset=CODE/DECIMALS, --ilp-address=ADDRESS, --incoming-token=TOKEN"}},
		{[]string{"add", "bob", "--ilp-address", "test.pochi", "--asset", "USD", "--incoming-token", "short"},
			[]string{"\nilp-address: ", "\nasset: ", "\nincoming-token: "}},
		{[]string{"add", "bob", "--ilp-address", "test.bob", "--asset", "USD/2", "--incoming-token", "@/no/such/file"}, []string{"no such file"}},
		{[]string{"add", "bob", "--ilp-address", "test.bob", "--asset", "USD/2", "--incoming-token", bobToken, "--async",
			"--outgoing-url", "https://bob.example", "--outgoing-token", ourToken}, []string{"POCHI_ILP_PUBLIC_URL"}},
		{[]string{"settle", "bob"}, []string{"--paid=N or --received=N"}},
		{[]string{"settle", "bob", "--paid", "1", "--received", "1"}, []string{"can't be used together"}},
		{[]string{"settle", "bob", "--paid", "1"}, []string{`no peer "bob"`}},
		{[]string{"settle", "bob", "--paid", "1.5"}, []string{"1.5"}},
	} {
		text, err := pochi(t, append([]string{"admin", "peer"}, test.args...)...)
		if err == nil || text != "" {
			t.Errorf("%q: %q, %v", test.args, text, err)
			continue
		}
		for _, want := range test.want {
			if said := sentence(err); !strings.Contains("\n"+said, want) {
				t.Errorf("%q: %q, want %q", test.args, said, want)
			}
		}
		if said := sentence(err); strings.Count(said, "\n") != len(test.want)-1 {
			t.Errorf("%q: %q, want %d lines", test.args, said, len(test.want))
		}
	}
}

// What a ping finds wrong with a peer that answers: the command prints both and
// fails. A peer that rejects a packet to its own address is right.
func TestPingFindsWhatIsWrong(t *testing.T) {
	asset, node := "EUR", address.Address("test.bob")
	peer := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		p, err := packet.DecodePrepare(body)
		if err != nil {
			return
		}
		var reply packet.Packet = packet.NewReject(packet.Unreachable, node, "Nobody is here.")
		if p.Destination == ildcp.Destination {
			config := ildcp.Config{Address: "test.poch", Asset: ilp.Asset{Code: asset, Scale: 2}}
			reply = &packet.Fulfill{Data: config.Append(nil)}
		}
		out, err := reply.Append(nil)
		if err != nil {
			return
		}
		w.Header().Set("Content-Type", "application/octet-stream")
		_, _ = w.Write(out)
	}))
	defer peer.Close()
	newData(t)
	serving(t)
	one[admin.Peer](t, "admin", "peer", "add", "bob", "--ilp-address", "test.bob", "--asset", "USD/2", "--incoming-token", bobToken,
		"--outgoing-url", peer.URL, "--outgoing-token", ourToken)
	ping := func() (admin.Pong, error) {
		text, err := pochi(t, "admin", "peer", "ping", "bob")
		all := objects[admin.Pong](t, text, nil)
		if len(all) != 1 || !all[0].Reachable || all[0].OK != (err == nil) || all[0].ILDCP == nil || all[0].ILDCP.Asset != asset+"/2" {
			t.Fatalf("%s, %v", text, err)
		}
		return all[0], err
	}
	if pong, err := ping(); err == nil || !strings.Contains(err.Error(), "EUR/2") || pong.AssetMismatch == "" || pong.AddressMismatch != "" {
		t.Errorf("another asset: %+v, %v", pong, err)
	}
	asset, node = "USD", "test.bobb"
	if pong, err := ping(); err == nil || !strings.Contains(err.Error(), "test.bobb") || pong.AssetMismatch != "" || pong.AddressMismatch == "" {
		t.Errorf("another node: %+v, %v", pong, err)
	}
	node = "test.bob"
	want := admin.PongAnswer{Code: packet.Unreachable, TriggeredBy: "test.bob", Message: "Nobody is here."}
	if pong, err := ping(); err != nil || pong.Answer == nil || *pong.Answer != want || !strings.Contains(pong.Warning, "test.poch") {
		t.Errorf("all is right: %+v, %v", pong, err)
	}
}

func TestUserAdd(t *testing.T) {
	for name, running := range map[string]bool{"without a wallet": false, "beside a running wallet": true} {
		t.Run(name, func(t *testing.T) {
			newData(t)
			logged := loggedWallet(t)
			if !running {
				logged()
			}
			const password = "correct horse battery"
			add := func(email, pointer, asset string, more ...string) []string {
				return append([]string{"admin", "user", "add", "--email", email, "--password", password, "--name", "Ann",
					"--pointer", pointer, "--asset", asset}, more...)
			}
			ann := one[admin.Person](t, add("ann@example.com", "ann", "USD/2", "--balance", "1234")...)
			if ann.Email != "ann@example.com" || ann.Pointer != "$localhost:3000/ann" || ann.Asset != "USD/2" || ann.Balance != 1234 {
				t.Errorf("%+v", ann)
			}
			if ben := one[admin.Person](t, add("ben@example.com", "ben", "JPY")...); ben.Asset != "JPY/0" || ben.Balance != 0 {
				t.Errorf("%+v", ben)
			}
			for _, pointer := range []string{"other", "ann"} {
				text, err := pochi(t, add("Ann@example.com", pointer, "USD", "--balance", "1234")...)
				want := "Somebody has the e-mail Ann@example.com already. Nothing was done; each person needs one of their own."
				if problem.CodeOf(err) != problem.Conflict || problem.MessageOf(err) != want || text != "" {
					t.Errorf("again, with the pointer %s: %q, %v", pointer, text, err)
				}
			}
			_, err := pochi(t, add("eve@example", "ann", "XYZ", "--balance", "18446744073709551615")...)
			for _, field := range []string{"email", "pointer", "asset", "balance"} {
				if problem.Fields(err)[field] == "" {
					t.Errorf("nothing about %s: %v", field, err)
				}
			}
			_, err = pochi(t, add("eve@example.com", "eve", "USD", "--balance", "9223372036854775807")...) // 1,234 were given before
			if problem.Fields(err)["balance"] == "" {
				t.Errorf("more than the house can give: %v", err)
			}
			wantOrder(t)
			if log := logged(); strings.Contains(log, password) || running && !strings.Contains(log, "person="+ann.ID.String()) {
				t.Errorf("the log has the password, or not who was added: %s", log)
			}
		})
	}
}

// What was settled may have been counted though nobody knows: the error says
// how to ask again.
func TestSettlementWhoseOutcomeIsUnknown(t *testing.T) {
	id := uuid.Must(uuid.NewV7())
	for _, test := range []struct {
		err     error
		unknown bool
	}{
		{fmt.Errorf("%w: %w", admin.ErrLost, net.ErrClosed), true},
		{problem.New(problem.Unavailable, "The wallet took too long."), true},
		{problem.New(problem.Internal, "the disk is full"), true},
		{problem.New(problem.NotFound, "There is no such peer."), false},
		{db.ErrNotThere, false},
	} {
		err := repeatable(test.err, id)
		if said := sentence(err); !errors.Is(err, test.err) || strings.Contains(said, "--id "+id.String()) != test.unknown {
			t.Errorf("%v became %s", test.err, said)
		}
	}
	if err := repeatable(nil, id); err != nil {
		t.Error(err)
	}
}

// Whatever a peer is called, the wallet hears that name.
func TestPeersByAnyName(t *testing.T) {
	newData(t)
	serving(t)
	for i, name := range []string{"bøb:1?x%20&#;", "b..", "100%", "日本"} {
		added := one[admin.Peer](t, "admin", "peer", "add", name, "--ilp-address", fmt.Sprintf("test.peer%d", i), "--asset", "USD/2",
			"--incoming-token", fmt.Sprintf("%s%d", bobToken, i))
		if gone := one[admin.Peer](t, "admin", "peer", "remove", name); gone.ID != added.ID || gone.Name != name {
			t.Errorf("%+v", gone)
		}
	}
	for _, name := range []string{"", ".", "..", "a/b", "a//b", "/", "a b", `a\b`} {
		_, err := pochi(t, "admin", "peer", "add", name, "--ilp-address", "test.bob", "--asset", "USD/2", "--incoming-token", bobToken)
		if problem.Fields(err)["name"] == "" {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// A restored wallet has its peers, and says what it can't know of them.
func TestRestoreNamesThePeers(t *testing.T) {
	newData(t)
	serving(t)()
	bob := one[admin.Peer](t, "admin", "peer", "add", "bob", "--ilp-address", "test.bob", "--asset", "USD/2", "--incoming-token", bobToken)
	one[admin.Peer](t, "admin", "peer", "settle", "bob", "--received", "5")
	file := filepath.Join(t.TempDir(), "pochi.backup")
	if text, err := pochi(t, "backup", file); err != nil {
		t.Fatal(text, err)
	}
	newData(t)
	if text, err := pochi(t, "restore", file); err != nil || !strings.Contains(text, "peers (bob)") {
		t.Fatalf("%q, %v", text, err)
	}
	if restored := one[admin.Peer](t, "admin", "peer", "list"); restored.ID != bob.ID || restored.OwedToPeer != 5 {
		t.Errorf("%+v", restored)
	}
	serving(t)()
	wantOrder(t)
}
