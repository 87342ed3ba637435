package server

import (
	"bytes"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"pochi/ilp/ilphttp"
	"pochi/ilp/packet"
)

// proxy stands between a wallet and its peer: it passes packets on, or does with
// them what a test says, and remembers whose money moved.
type proxy struct {
	*httptest.Server
	t  *testing.T
	to string // the peer's listener

	mu        sync.Mutex
	fault     func(*passage)
	skew      time.Duration // how far ahead the peer's clock is
	fulfilled uint64        // what the peer fulfilled, as it was heard
	paid      uint64        // of that, what the wallet was told in time
	lost      uint64        // what the wallet was told nothing about
	narrow    uint64        // of what it was paid, what came so late that it may have expired when the wallet looked
	packets   int           // with money, since the fault was set
	passing   int           // on their way
	quieter   *sync.Cond    // when passing falls
}

// passage is one packet on its way.
type passage struct {
	*proxy
	w         http.ResponseWriter
	r         *http.Request
	body      []byte
	Amount    uint64
	Condition [32]byte
	Expires   time.Time // for the wallet
	N         int       // it is the nth with money, from 1
}

// answer is what a peer answered over HTTP.
type response struct {
	status int
	body   []byte
}

func newProxy(t *testing.T, to string) *proxy {
	p := &proxy{t: t, to: to}
	p.quieter = sync.NewCond(&p.mu)
	p.Server = httptest.NewServer(p)
	t.Cleanup(p.Close)
	return p
}

// Fault has f see to each packet with money from now on; nil passes them on.
func (p *proxy) Fault(f func(*passage)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.fault, p.packets = f, 0
}

// Skew sets the peer's clock, as far as packets can tell: by changing when they
// expire.
func (p *proxy) Skew(ahead time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.skew = ahead
}

// quiet waits until no packet is on its way: then what was counted can be read.
func (p *proxy) quiet() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for p.passing > 0 {
		p.quieter.Wait()
	}
}

// underWay counts packets in, or out.
func (p *proxy) underWay(n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.passing += n
	p.quieter.Broadcast()
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.underWay(1)
	defer p.underWay(-1)
	g := &passage{proxy: p, w: w, r: r}
	var err error
	if g.body, err = io.ReadAll(r.Body); err != nil {
		return // whoever sent it was killed: the peer gets no half packets
	}
	view, err := packet.ViewPrepare(bytes.Clone(g.body))
	if err != nil {
		p.t.Error(err)
		return
	}
	g.Amount, g.Condition, g.Expires = view.Amount(), view.Condition(), view.ExpiresAt()
	p.mu.Lock()
	if err := view.SetExpiresAt(g.Expires.Add(-p.skew)); err != nil {
		p.t.Error(err)
	}
	g.body = view.Bytes()
	fault := p.fault
	if g.Amount > 0 {
		p.packets++
		g.N = p.packets
	}
	p.mu.Unlock()
	if fault == nil || g.Amount == 0 {
		fault = (*passage).pass
	}
	fault(g)
}

// AfterOne has packets pass one by one, and something happen after the first that the
// peer fulfills.
func (p *proxy) AfterOne(happen func()) {
	var one sync.Mutex
	happened := false
	p.Fault(func(g *passage) {
		one.Lock()
		defer one.Unlock()
		if g.told() > 0 && !happened {
			happened = true
			happen()
		}
		g.pass()
	})
}

// told is what the wallet was told that the peer fulfilled.
func (p *proxy) told() uint64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.paid
}

// pass passes the packet on, and the answer back.
func (g *passage) pass() {
	if a, ok := g.ask(); ok {
		g.give(a)
	} else {
		g.reset()
	}
}

// ask passes the packet on. It returns false if the peer doesn't answer.
func (g *passage) ask() (a response, ok bool) {
	req, err := http.NewRequest(http.MethodPost, "http://"+g.to+ilphttp.Path, bytes.NewReader(g.body))
	if err != nil {
		g.t.Error(err)
		return a, false
	}
	req.Header = g.r.Header.Clone()
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		return a, false
	}
	defer resp.Body.Close()
	a.status = resp.StatusCode
	if a.body, err = io.ReadAll(resp.Body); err != nil {
		return a, false
	}
	if g.fulfills(a) {
		g.add(&g.fulfilled)
	}
	return a, true
}

// add adds the packet's money to a sum. A goodbye has none, and may come at any time.
func (g *passage) add(sum *uint64) {
	if g.Amount == 0 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	*sum += g.Amount
}

func (g *passage) fulfills(a response) bool {
	if a.status != http.StatusOK {
		return false
	}
	reply, err := packet.ViewReply(a.body)
	return err == nil && reply.Fulfills(g.Condition)
}

// give gives the wallet an answer.
func (g *passage) give(a response) {
	switch late := !time.Now().Before(g.Expires); {
	case late, a.status >= 500:
		g.add(&g.lost)
	case g.fulfills(a):
		g.add(&g.paid)
		if time.Until(g.Expires) < closeCall {
			g.add(&g.narrow)
		}
	}
	g.w.Header().Set("Content-Type", ilphttp.ContentType)
	g.w.WriteHeader(a.status)
	_, _ = g.w.Write(a.body)
}

// closeCall is how long a busy wallet may take to look at an answer.
const closeCall = time.Second

// status gives the wallet nothing but a status.
func (g *passage) status(status int) { g.give(response{status: status}) }

// reset breaks the wallet's connection.
func (g *passage) reset() {
	g.add(&g.lost)
	g.hangUp()
}

func (g *passage) hangUp() {
	c, _, err := http.NewResponseController(g.w).Hijack()
	if err != nil {
		g.t.Error(err)
		return
	}
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetLinger(0) // to send a reset
	}
	_ = c.Close()
}

// truncate breaks the connection in the middle of an answer.
func (g *passage) truncate(a response) {
	g.add(&g.lost)
	c, buf, err := http.NewResponseController(g.w).Hijack()
	if err != nil {
		g.t.Error(err)
		return
	}
	head := "HTTP/1.1 200 OK\r\nContent-Type: " + ilphttp.ContentType + "\r\nContent-Length: 5000\r\n\r\n"
	_, err = buf.WriteString(head + string(a.body[:len(a.body)/2]))
	if err := errors.Join(err, buf.Flush(), c.Close()); err != nil {
		g.t.Error(err)
	}
}

// expire waits until the packet has expired for the wallet.
func (g *passage) expire() { time.Sleep(time.Until(g.Expires) + 50*time.Millisecond) }

// forge makes a fulfillment one that proves nothing.
func forge(a response) response {
	reply, err := packet.ViewReply(a.body)
	if err != nil || reply.Type() != packet.TypeFulfill {
		return a
	}
	secret := reply.Fulfillment()
	forged := bytes.Replace(a.body, secret[:], make([]byte, len(secret)), 1)
	return response{a.status, forged}
}
