package peers

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"pochi/app/problem"
	"pochi/db"
	"pochi/ledger"

	"github.com/google/uuid"
)

const nameMax = 64 // characters

// Add makes a peer that counts an asset, such as "USD/2", with its account,
// all or nothing. One that is there already, and just so, is returned as it is.
// Errors: problem.Errors with all that is wrong at once, under
// the names of the command's flags.
func (s *Service) Add(ctx context.Context, name, asset string, c Change) (Changed, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all, err := Load(ctx, s.DB.Read)
	if err != nil {
		return Changed{}, err
	}
	d, err := s.draft(name, asset, c)
	if err != nil {
		return Changed{}, err
	}
	if there, repeated, err := s.repeats(ctx, all, d, c); err != nil || repeated {
		return Changed{Standing: there}, err
	}
	if len(all) >= PeersMax {
		return Changed{}, problem.New(problem.Conflict, "There are %d peers, which is the most there can be.", PeersMax)
	}
	if d.compare(all); d.errs != nil {
		return Changed{}, d.errs
	}
	number, err := s.openAsset(ctx, d.Asset)
	if err != nil {
		return Changed{}, err
	}
	open := ledger.OpenAccount{ID: d.ID, Ledger: number, Code: ledger.CodePeer, Limit: c.creditLimit()}
	err = s.commit(ctx, ledger.Chain{open}, func(tx db.Tx) error { return insertPeer(ctx, tx, d.Peer) }, sorted(append(all, d.Peer)))
	if err != nil {
		return Changed{}, fmt.Errorf("add peer %s: %w", name, err)
	}
	return s.changed(ctx, Standing{}, d.ID)
}

// repeats finds the peer that is to be added among those there are, just as it
// is to be.
func (s *Service) repeats(ctx context.Context, all []Peer, d *draft, c Change) (Standing, bool, error) {
	i := slices.IndexFunc(all, func(p Peer) bool { return p.Name == d.Name })
	if i < 0 || d.errs != nil {
		return Standing{}, false, nil
	}
	there, err := s.find(ctx, all[i].ID)
	asked := Standing{Peer: d.Peer, CreditLimit: c.creditLimit()}
	return there, err == nil && len(differences(there, asked)) == 0, err
}

// changed returns a peer as it is now, and what differs from before.
func (s *Service) changed(ctx context.Context, before Standing, id uuid.UUID) (Changed, error) {
	now, err := s.find(ctx, id)
	if err != nil {
		return Changed{}, err
	}
	return Changed{now, differences(before, now)}, nil
}

// draft makes a new peer, not compared with the others yet.
func (s *Service) draft(name, asset string, c Change) (*draft, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	d := &draft{Peer: Peer{ID: id, Name: name, CreatedAt: s.Now().UTC().Truncate(time.Microsecond)}}
	d.errs = CheckName(name)
	if c.Address == nil {
		d.refuse("ilp-address", "Give the peer's ILP address.")
	}
	var ok bool
	if d.Asset, ok = parseAsset(asset); !ok {
		d.refuse("asset", "%q is no asset: write its code and its decimals, such as USD/2, with at most %d decimals.", asset, ledger.ScaleMax)
	} else if _, err := s.ExchangeLimit(d.Asset); err != nil {
		d.refuse("asset", "The wallet can't exchange %s: %s.", d.Asset, err)
	}
	s.change(d, c)
	s.wantBound(d)
	return d, nil
}

// CheckName says what is wrong with a peer's name.
func CheckName(name string) problem.Errors {
	if validName(name) {
		return nil
	}
	return problem.Errors{problem.Field("name",
		"Name the peer with up to %d letters, digits and signs, without spaces and slashes, beginning with a letter or a digit.", nameMax)}
}

// validName accepts what can be seen, typed as one word and told from a flag.
func validName(name string) bool {
	if !utf8.ValidString(name) || name == "" || utf8.RuneCountInString(name) > nameMax {
		return false
	}
	if first, _ := utf8.DecodeRuneInString(name); !unicode.In(first, unicode.L, unicode.N) {
		return false
	}
	return !strings.ContainsFunc(name, func(r rune) bool {
		return !unicode.IsGraphic(r) || unicode.IsSpace(r) || r == '/' || r == '\\'
	})
}

func parseAsset(text string) (ledger.Asset, bool) {
	code, scale, _ := strings.Cut(text, "/")
	n, err := strconv.ParseUint(scale, 10, 8)
	ok := err == nil && n <= ledger.ScaleMax && len(code) >= 2 && len(code) <= 10 && !strings.ContainsFunc(code, func(r rune) bool {
		return (r < 'A' || r > 'Z') && (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
	return ledger.Asset{Code: code, Scale: uint8(n)}, ok
}

// openAsset returns an asset's ledger. One that isn't there is opened, with
// the configured limit.
func (s *Service) openAsset(ctx context.Context, asset ledger.Asset) (uint32, error) {
	number, err := ledger.LedgerOf(ctx, s.DB.Read, asset)
	if !errors.Is(err, ledger.ErrLedgerUnknown) {
		return number, err
	}
	limit, err := s.ExchangeLimit(asset)
	if err != nil {
		return 0, err
	}
	return s.Ledger.OpenAsset(ctx, asset, limit)
}
