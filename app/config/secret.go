package config

import (
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Secrets derives one key for each purpose from the wallet's secret.
type Secrets struct{ root []byte }

// Secrets returns the configured secret. In development, without one, it makes
// it at the first start and keeps it in the data folder.
func (c Config) Secrets() (Secrets, error) {
	if c.Secret != "" {
		return Secrets{[]byte(c.Secret)}, nil
	}
	path := filepath.Join(c.Data, "pochi.secret")
	kept, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return newSecret(path)
	}
	if err != nil {
		return Secrets{}, fmt.Errorf("read the secret: %w", err)
	}
	secret := strings.TrimSpace(string(kept))
	if len(secret) < secretMin {
		return Secrets{}, fmt.Errorf("%s holds no secret; without it forms that are open have to be sent again, and payments that are on their way to this wallet end early: remove the file to make a new one", path)
	}
	return Secrets{[]byte(secret)}, nil
}

func newSecret(path string) (Secrets, error) {
	secret := rand.Text() + rand.Text()
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return Secrets{}, fmt.Errorf("POCHI_DATA: %w", err)
	}
	if err := os.WriteFile(path+".new", []byte(secret+"\n"), 0o600); err != nil {
		return Secrets{}, fmt.Errorf("POCHI_DATA: %w", err)
	}
	return Secrets{[]byte(secret)}, os.Rename(path+".new", path)
}

// Key returns the 32-byte key of one purpose (HKDF-SHA256).
func (s Secrets) Key(purpose string) ([32]byte, error) {
	var key [32]byte
	b, err := hkdf.Key(sha256.New, s.root, nil, "pochi "+purpose, len(key))
	copy(key[:], b)
	return key, err
}

// HookKey returns what Hydra proves with that it is Hydra when it asks the wallet
// about a token. Whichever of the two starts first makes it, in the data folder;
// tools/hydra has the same function.
func (c Config) HookKey() (string, error) {
	path := filepath.Join(c.Data, "hook.key")
	key, err := readKey(path)
	if !errors.Is(err, os.ErrNotExist) {
		return key, err
	}
	if err := os.MkdirAll(c.Data, 0o700); err != nil {
		return "", fmt.Errorf("POCHI_DATA: %w", err)
	}
	made, err := os.CreateTemp(c.Data, "hook.key.*")
	if err != nil {
		return "", fmt.Errorf("POCHI_DATA: %w", err)
	}
	defer os.Remove(made.Name())
	_, err = made.WriteString(rand.Text() + rand.Text() + "\n")
	if err = errors.Join(err, made.Close()); err != nil {
		return "", fmt.Errorf("POCHI_DATA: %w", err)
	}
	// A link, unlike a rename, leaves alone what the other one made meanwhile.
	if err := os.Link(made.Name(), path); err != nil && !errors.Is(err, os.ErrExist) {
		return "", fmt.Errorf("POCHI_DATA: %w", err)
	}
	return readKey(path)
}

func readKey(path string) (string, error) {
	kept, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read the key of Hydra's questions: %w", err)
	}
	key := strings.TrimSpace(string(kept))
	if len(key) < secretMin {
		return "", fmt.Errorf("%s is not a key: remove it, and start the wallet and Hydra again", path)
	}
	return key, nil
}
