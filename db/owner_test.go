package db

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheFolderIsItsOwners(t *testing.T) {
	folder := t.TempDir()
	if err := checkOwner(folder, os.Geteuid()); err != nil {
		t.Error(err)
	}
	err := checkOwner(folder, os.Geteuid()+1)
	if !errors.Is(err, ErrOwner) || !strings.Contains(err.Error(), folder) {
		t.Errorf("as another user: %v", err)
	}
	if err := checkOwner(filepath.Join(folder, "not there"), os.Geteuid()+1); err != nil {
		t.Error(err)
	}
}
