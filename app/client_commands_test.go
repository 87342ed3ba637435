package main

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
)

// Without a running wallet the command asks Hydra itself.
func TestClientCommands(t *testing.T) {
	newData(t)
	hydra := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		if r.Method == http.MethodGet {
			w.Write([]byte("[]"))
			return
		}
		var client map[string]any
		if err := json.NewDecoder(r.Body).Decode(&client); err != nil {
			t.Error(err)
		}
		w.WriteHeader(http.StatusCreated)
		if err := json.NewEncoder(w).Encode(client); err != nil {
			t.Error(err)
		}
	}))
	t.Cleanup(hydra.Close)
	t.Setenv("POCHI_HYDRA_ADMIN_URL", hydra.URL)
	logged := loggedWallet(t) // makes the database
	logged()
	var out bytes.Buffer
	if err := run(t.Context(), []string{"admin", "client", "add", "Back office", "--scopes", "admin:read,admin:write"}, &out); err != nil {
		t.Fatal(err)
	}
	var added struct {
		ID, Name, Secret, Audience string
		Scopes                     []string
	}
	if err := json.Unmarshal(out.Bytes(), &added); err != nil || added.ID == "" || added.Name != "Back office" || len(added.Secret) < 32 || len(added.Scopes) != 2 || added.Audience == "" {
		t.Errorf("%v: %s", err, out.String())
	}
	for _, wrong := range [][]string{
		{"admin", "client", "add", "Shop", "--scopes", "accounts:read"}, {"admin", "client", "add", "Shop"}, {"admin", "client", "remove", "Shop"},
	} {
		if err := run(t.Context(), wrong, &out); err == nil {
			t.Errorf("%v works", wrong)
		}
	}
}
