package payments

import (
	"context"
	"sync"

	"github.com/google/uuid"
)

const (
	sendersMax       = 1024 // payments to other wallets that send at once; more wait
	sendersMaxPerson = 32   // of one person
)

// slots bounds how many payments to other wallets send at once, in all and of one
// person: each may last until its deadline, whoever is at the other end.
type slots struct {
	all chan struct{}

	mu     sync.Mutex
	people map[uuid.UUID]*seats
}

// seats are a person's slots. They are forgotten when nobody uses them.
type seats struct {
	taken chan struct{}
	users int
}

func newSlots() *slots {
	return &slots{all: make(chan struct{}, sendersMax), people: map[uuid.UUID]*seats{}}
}

// take waits for a slot and returns how to give it back.
func (s *slots) take(ctx context.Context, person uuid.UUID) (release func(), err error) {
	own := s.sit(person)
	select {
	case own.taken <- struct{}{}:
	case <-ctx.Done():
		s.leave(person, own)
		return nil, ctx.Err()
	}
	select {
	case s.all <- struct{}{}:
	case <-ctx.Done():
		<-own.taken
		s.leave(person, own)
		return nil, ctx.Err()
	}
	return func() {
		<-s.all
		<-own.taken
		s.leave(person, own)
	}, nil
}

func (s *slots) sit(person uuid.UUID) *seats {
	s.mu.Lock()
	defer s.mu.Unlock()
	own := s.people[person]
	if own == nil {
		own = &seats{taken: make(chan struct{}, sendersMaxPerson)}
		s.people[person] = own
	}
	own.users++
	return own
}

func (s *slots) leave(person uuid.UUID, own *seats) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if own.users--; own.users == 0 {
		delete(s.people, person)
	}
}
