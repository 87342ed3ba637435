package ilphttp

// Len returns how many packets wait for their replies.
func (p *Pending) Len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.open)
}

// Add opens a request to a peer and returns its id, and what takes the reply.
func (p *Pending) Add(peer [16]byte) (id string, replied <-chan struct{}) {
	w := p.add(peer)
	return w.id, w.replied
}

// AsyncRequests returns how many packets in asynchronous mode are being worked on.
func (s *Server) AsyncRequests() int {
	s.requests.mu.Lock()
	defer s.requests.mu.Unlock()
	return len(s.requests.open)
}

// CloseIdle closes the connections of the endpoint's client.
func (e *Endpoint) CloseIdle() { e.client.CloseIdleConnections() }
