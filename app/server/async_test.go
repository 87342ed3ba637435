package server

import (
	"bytes"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"pochi/app/payments"
	"pochi/app/peers"
	"pochi/db"
	"pochi/ilp/ilphttp"
	"pochi/ilp/packet"
)

// Two wallets pay each other both ways, whichever of them are asynchronous: a
// reply is in a callback where both sides agree, else in the response.
func TestAsyncPayments(t *testing.T) {
	sync, both, unmet, unasked := mode{}, mode{true, true}, mode{true, false}, mode{false, true}
	for name, c := range map[string]struct{ there, back mode }{
		"both asynchronous":       {both, both},
		"one way only":            {both, sync},
		"neither":                 {sync, sync},
		"where one side can't":    {unmet, unasked},
		"asynchronous when asked": {unasked, both},
	} {
		t.Run(name, func(t *testing.T) {
			ann, ben := newNeighbour(t, "ann"), newNeighbour(t, "ben")
			join(t, ann, ben, c.there, c.back)
			for _, way := range []struct {
				from, to *neighbour
				mode     mode
				amount   string
			}{{ann, ben, c.there, "12.34"}, {ben, ann, c.back, "30"}} {
				if pong, err := way.from.admin().PingPeer(t.Context(), way.to.name); err != nil || !pong.OK || pong.Warning != "" {
					t.Errorf("ping %s: %+v, %v", way.to.name, pong, err)
				}
				if p := way.from.pay(way.to, way.amount); p.State != payments.Completed {
					t.Errorf("%+v", p)
				}
				if n := way.from.front.callbacks.Load(); (n > 0) != (way.mode == both) {
					t.Errorf("%s was called back %d times", way.from.name, n)
				}
			}
			for n, want := range map[*neighbour][2]int64{ann: {117_66, -17_66}, ben: {82_34, 17_66}} {
				if has, owed := n.standing(n.db.Read); has != want[0] || owed != want[1] {
					t.Errorf("%s has %d and owes %d, want %v", n.name, has, owed, want)
				}
			}
		})
	}
}

// hold holds the callbacks to a wallet, until release is called or the test ends.
func hold(t *testing.T, f *front) (came chan struct{}, release func()) {
	came, released := make(chan struct{}), make(chan struct{})
	first := sync.OnceFunc(func() { close(came) })
	f.onCallback(func() {
		first()
		<-released
	})
	release = sync.OnceFunc(func() { close(released) })
	t.Cleanup(release)
	return came, release
}

// stopping begins to stop a wallet, and returns when it takes no new packets of
// its peer any more, with what waits for the end.
func stopping(t *testing.T, n, peer *neighbour) (ended chan struct{}) {
	t.Helper()
	ended = make(chan struct{})
	go func() {
		n.stop()
		close(ended)
	}()
	for !refuses(t, n, peer) {
	}
	return ended
}

// refuses sends a wallet a packet of its peer's, for an address that nobody has,
// and reports whether it is told that the wallet is stopping.
func refuses(t *testing.T, n, peer *neighbour) bool {
	t.Helper()
	b, err := (&packet.Prepare{ExpiresAt: time.Now().Add(10 * time.Second), Destination: "test.nobody"}).Append(nil)
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest(http.MethodPost, n.front.URL+ilphttp.Path, bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+string(token(peer, n)))
	req.Header.Set("Content-Type", ilphttp.ContentType)
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var body bytes.Buffer
	if _, err := body.ReadFrom(resp.Body); err != nil {
		t.Fatal(err)
	}
	reply, err := packet.DecodeReply(body.Bytes())
	if err != nil {
		t.Fatalf("status %d, %v", resp.StatusCode, err)
	}
	return reply.(*packet.Reject).Code == packet.InternalError
}

// A wallet that stops, the one that pays or the one that is paid, waits for the
// reply that is on its way: nobody loses anything, and both agree.
func TestStopDuringAnAsyncPayment(t *testing.T) {
	for _, payerStops := range []bool{true, false} {
		t.Run(fmt.Sprintf("the payer: %t", payerStops), func(t *testing.T) {
			ann, ben := newNeighbour(t, "ann"), newNeighbour(t, "ben")
			join(t, ann, ben, mode{true, true}, mode{true, true})
			id := ann.quote(ben, "25")
			came, release := hold(t, ann.front)
			ann.confirm(id)
			<-came
			stops, other := ben, ann
			if payerStops {
				stops, other = ann, ben
			}
			ended := stopping(t, stops, other)
			select {
			case <-ended:
				t.Error("it didn't wait")
			default:
			}
			release()
			<-ended
			stops.start()
			if p := ann.outcome(id); p.State != payments.Completed || p.DeliveredAmount.Value != 25_00 || p.Doubted.Value != 0 {
				t.Errorf("%+v", p)
			}
			for n, want := range map[*neighbour][2]int64{ann: {75_00, 25_00}, ben: {125_00, -25_00}} {
				if has, owed := n.standing(n.db.Read); has != want[0] || owed != want[1] {
					t.Errorf("%s has %d and owes %d, want %v", n.name, has, owed, want)
				}
			}
		})
	}
}

// A reply that never comes keeps no wallet from stopping, and what it leaves is
// written down.
func TestStopWithoutAnAnswer(t *testing.T) {
	ann, ben := newNeighbour(t, "ann"), newNeighbour(t, "ben")
	join(t, ann, ben, mode{true, true}, mode{true, true})
	id := ann.quote(ben, "25")
	came, _ := hold(t, ann.front)
	ann.confirm(id)
	<-came
	ended := stopping(t, ann, ben)
	ben.stop()
	<-ended
	ann.read(func(d *db.DB) {
		if has, owed := ann.standing(d.Read); has+owed > 100_00 {
			t.Errorf("Ann has %d, and Ben is owed %d", has, owed)
		}
		if n, err := payments.CountInFlight(t.Context(), d.Read); n != 0 || err != nil {
			t.Errorf("%d holds have something in flight, %v", n, err)
		}
		all, err := peers.Standings(t.Context(), d.Read)
		if err != nil || len(all) != 1 || all[0].Doubts != 1 || all[0].DoubtAmount != 25_00 {
			t.Errorf("%+v, %v", all, err)
		}
	})
}
