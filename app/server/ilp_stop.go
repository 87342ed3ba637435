package server

import (
	"context"
	"net"
	"time"
)

// packetDrain is how long packets may take to end when the program stops: as
// long as any packet may. What were cut off would have to be settled with the
// peers. Nothing is waited for when no packet is under way.
const packetDrain = 32 * time.Second

// serve takes peers' packets until ctx ends, and none from then on. It listens
// on until stop is called, for the callbacks that answer the wallet's own.
func (n *node) serve(ctx context.Context, l net.Listener) error {
	go func() { n.ended <- n.server.Serve(l) }()
	select {
	case err := <-n.ended:
		n.ended <- nil
		return err
	case <-ctx.Done():
		n.server.Refuse()
		return nil
	}
}

// stop ends what serve began, once the wallet sends nothing of its own any more.
// It answers the packets of peers that are still under way. What is unanswered
// when ctx ends stays in flight: the next start says what has to be settled.
func (n *node) stop(ctx context.Context) {
	if err := n.server.Shutdown(ctx); err != nil {
		n.log.Warn("packets of peers were still under way", "error", err)
	}
	if err := <-n.ended; err != nil {
		n.log.Error("replies of peers could not be taken at the end", "error", err)
	}
	n.client.CloseIdleConnections()
}
