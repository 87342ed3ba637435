package users

import (
	"context"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"

	"pochi/app/problem"

	"golang.org/x/crypto/argon2"
)

const (
	saltLen = 16 // bytes
	keyLen  = 32 // bytes
)

// Cost is what one argon2id hash costs (RFC 9106).
type Cost struct {
	MemoryKiB uint32
	Passes    uint32
	Lanes     uint8
}

// PasswordOptions say how passwords are hashed. The zero value is for
// production.
type PasswordOptions struct {
	Cost       Cost // of new hashes; OWASP's 19 MiB, 2 passes, 1 lane when zero
	HashesMax  int  // computed at the same time: 2 when zero
	WaitersMax int  // that may wait for their turn: 64 when zero
	// Derive computes a key of 32 bytes: argon2.IDKey when nil.
	Derive func(password, salt []byte, cost Cost) []byte
}

// passwords hashes passwords with argon2id into the PHC string format, a few
// at a time: each takes memory and a processor.
type passwords struct {
	cost   Cost
	rand   io.Reader
	derive func(password, salt []byte, cost Cost) []byte
	places chan struct{} // of those who compute or wait
	turns  chan struct{} // of those who compute
	dummy  string        // a hash at the same cost that no password has
}

func newPasswords(opts PasswordOptions, rand io.Reader) *passwords {
	if opts.Cost == (Cost{}) {
		opts.Cost = Cost{MemoryKiB: 19456, Passes: 2, Lanes: 1}
	}
	if opts.HashesMax == 0 {
		opts.HashesMax = 2
	}
	if opts.WaitersMax == 0 {
		opts.WaitersMax = 64
	}
	if opts.Derive == nil {
		opts.Derive = argon2id
	}
	return &passwords{
		cost: opts.Cost, rand: rand, derive: opts.Derive,
		places: make(chan struct{}, opts.HashesMax+opts.WaitersMax),
		turns:  make(chan struct{}, opts.HashesMax),
		dummy:  phc(opts.Cost, make([]byte, saltLen), make([]byte, keyLen)),
	}
}

func argon2id(password, salt []byte, cost Cost) []byte {
	return argon2.IDKey(password, salt, cost.Passes, cost.MemoryKiB, cost.Lanes, keyLen)
}

// hash returns a new password's hash with a salt of its own.
func (p *passwords) hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltLen)
	if _, err := io.ReadFull(p.rand, salt); err != nil {
		return "", fmt.Errorf("hash a password: %w", err)
	}
	key, err := p.key(ctx, password, salt, p.cost)
	if err != nil {
		return "", err
	}
	return phc(p.cost, salt, key), nil
}

// matches computes one hash and compares it in constant time.
func (p *passwords) matches(ctx context.Context, stored, password string) (bool, error) {
	cost, salt, want, err := parsePHC(stored)
	if err != nil {
		return false, fmt.Errorf("check a password: %w", err)
	}
	got, err := p.key(ctx, password, salt, cost)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

// key waits for its turn, until ctx ends. It is problem.Unavailable when too
// many wait already.
func (p *passwords) key(ctx context.Context, password string, salt []byte, cost Cost) ([]byte, error) {
	select {
	case p.places <- struct{}{}:
		defer func() { <-p.places }()
	default:
		return nil, problem.New(problem.Unavailable, "Very many people are logging in right now. Please try again in a minute.")
	}
	select {
	case p.turns <- struct{}{}:
		defer func() { <-p.turns }()
	case <-ctx.Done():
		return nil, fmt.Errorf("wait to hash a password: %w", ctx.Err())
	}
	return p.derive([]byte(password), salt, cost), nil
}

// phc writes the PHC string format:
// $argon2id$v=19$m=19456,t=2,p=1$salt$key, both in base64 without padding.
func phc(cost Cost, salt, key []byte) string {
	encode := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, cost.MemoryKiB, cost.Passes, cost.Lanes,
		encode(salt), encode(key))
}

func parsePHC(text string) (cost Cost, salt, key []byte, err error) {
	parts := strings.Split(text, "$")
	if len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != fmt.Sprintf("v=%d", argon2.Version) {
		return Cost{}, nil, nil, errors.New("the stored hash isn't argon2id in the PHC string format")
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &cost.MemoryKiB, &cost.Passes, &cost.Lanes); err != nil {
		return Cost{}, nil, nil, fmt.Errorf("the stored hash's cost: %w", err)
	}
	decode := base64.RawStdEncoding.Strict().DecodeString
	if salt, err = decode(parts[4]); err != nil {
		return Cost{}, nil, nil, fmt.Errorf("the stored hash's salt: %w", err)
	}
	if key, err = decode(parts[5]); err != nil {
		return Cost{}, nil, nil, fmt.Errorf("the stored hash's key: %w", err)
	}
	if cost.Passes == 0 || cost.Lanes == 0 || len(key) != keyLen {
		return Cost{}, nil, nil, errors.New("the stored hash's parameters are out of range")
	}
	return cost, salt, key, nil
}
