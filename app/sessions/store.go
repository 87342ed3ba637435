package sessions

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"pochi/db"

	"github.com/google/uuid"
	gorilla "github.com/gorilla/sessions"
)

// The keys of a gorilla session's values.
type (
	rowKey  struct{} // Session, as the row says
	userKey struct{} // uuid.UUID, of who logs in
)

// errEnded: the session that a request began with has been ended meanwhile.
var errEnded = errors.New("the session has ended")

// Get returns the request's session, the same one each time. It implements
// gorilla's Store.
func (s *Store) Get(r *http.Request, name string) (*gorilla.Session, error) {
	return gorilla.GetRegistry(r).Get(s, name)
}

// New returns the session that the request's cookie names, or a new one when
// it names none that is valid. It implements gorilla's Store.
func (s *Store) New(r *http.Request, name string) (*gorilla.Session, error) {
	session := gorilla.NewSession(s, name)
	opts := s.opts
	session.Options = &opts
	session.IsNew = true
	token, ok := tokenOf(r, name)
	if !ok {
		return session, nil
	}
	row, err := s.find(r.Context(), sha256.Sum256(token))
	if errors.Is(err, sql.ErrNoRows) {
		return session, nil
	}
	if err != nil {
		return session, fmt.Errorf("find the session: %w", err)
	}
	session.ID = encode(token)
	session.Values[rowKey{}] = row
	session.IsNew = false
	return session, nil
}

// find returns the session of a token, sql.ErrNoRows when there is none that has
// time left.
func (s *Store) find(ctx context.Context, token hash) (Session, error) {
	now := s.now()
	row, here, changes := s.live.Get(token)
	if here && now.Before(row.ExpiresAt) {
		return row, nil
	}
	row, err := find(ctx, s.db.Read, token, now)
	if err == nil {
		s.live.Put(token, row, changes)
	}
	return row, err
}

// write commits a change of the rows of some tokens.
func (s *Store) write(ctx context.Context, rows func(db.Tx) error, tokens ...hash) error {
	defer s.live.Changed(tokens...) // also when nobody knows whether it was committed
	return s.db.Write(ctx, rows)
}

// Save writes the session's row and then its cookie. A session without an ID
// is a log-in: it gets a new token and a row, and the row that the request's
// cookie names is deleted with it. A session with an ID is marked as seen. One
// whose MaxAge isn't positive is deleted. It implements gorilla's Store.
func (s *Store) Save(r *http.Request, w http.ResponseWriter, session *gorilla.Session) error {
	var err error
	switch {
	case session.Options.MaxAge <= 0:
		session.Options.MaxAge = -1
		err = s.end(r, session)
	case session.ID == "":
		err = s.start(r, session)
	default:
		err = s.seen(r, session)
	}
	if err != nil {
		return err
	}
	http.SetCookie(w, gorilla.NewCookie(session.Name(), session.ID, session.Options))
	return nil
}

func (s *Store) start(r *http.Request, session *gorilla.Session) error {
	userID, ok := session.Values[userKey{}].(uuid.UUID)
	if !ok {
		return errors.New("start a session: it has no user")
	}
	token := make([]byte, tokenLen)
	if _, err := io.ReadFull(s.rand, token); err != nil {
		return fmt.Errorf("start a session: %w", err)
	}
	hash := sha256.Sum256(token)
	now := micros(s.now())
	row := Session{
		ID:         fmt.Sprintf("%x", hash),
		UserID:     userID,
		UserAgent:  cut(r.UserAgent(), userAgentMax),
		Address:    r.RemoteAddr,
		CreatedAt:  now,
		LastSeenAt: now,
		ExpiresAt:  now.Add(lifetime),
	}
	before, replaces := tokenOf(r, session.Name())
	replaced := sha256.Sum256(before)
	err := s.write(r.Context(), startRows(r.Context(), hash, row, replaced, replaces), hash, replaced)
	if err != nil {
		return fmt.Errorf("start a session: %w", err)
	}
	session.ID = encode(token)
	session.Values[rowKey{}] = row
	session.IsNew = false
	return nil
}

func (s *Store) seen(r *http.Request, session *gorilla.Session) error {
	row, ok := session.Values[rowKey{}].(Session)
	token, valid := decode(session.ID)
	if !ok || !valid {
		return errors.New("mark a session as seen: it isn't from this store")
	}
	row.LastSeenAt = micros(s.now())
	row.ExpiresAt = row.LastSeenAt.Add(lifetime)
	if end := row.CreatedAt.Add(lifetimeMax); row.ExpiresAt.After(end) {
		row.ExpiresAt = end
	}
	hash := sha256.Sum256(token)
	if err := s.write(r.Context(), seenRows(r.Context(), hash, row), hash); err != nil {
		return fmt.Errorf("mark the session as seen: %w", err)
	}
	session.Values[rowKey{}] = row
	session.Options.MaxAge = max(1, int(row.ExpiresAt.Sub(row.LastSeenAt)/time.Second)) // 0 would be until the browser is closed
	return nil
}

func (s *Store) end(r *http.Request, session *gorilla.Session) error {
	token, ok := decode(session.ID)
	session.ID = ""
	if !ok {
		return nil
	}
	hash := sha256.Sum256(token)
	if err := s.write(r.Context(), endRows(r.Context(), hash), hash); err != nil {
		return fmt.Errorf("end the session: %w", err)
	}
	return nil
}

func tokenOf(r *http.Request, name string) ([]byte, bool) {
	cookie, err := r.Cookie(name)
	if err != nil {
		return nil, false
	}
	return decode(cookie.Value)
}

func encode(token []byte) string { return base64.RawURLEncoding.EncodeToString(token) }

func decode(text string) ([]byte, bool) {
	token, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return token, err == nil && len(token) == tokenLen
}

// cut returns text with n characters at most.
func cut(text string, n int) string {
	runes := []rune(strings.ToValidUTF8(text, "\uFFFD"))
	return string(runes[:min(n, len(runes))])
}

func micros(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
