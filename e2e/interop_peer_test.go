package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"testing"
	"time"
)

// interopMax is for everything that one independent implementation does.
const interopMax = time.Minute

// foreign is a process of an implementation of Interledger that isn't ours: a script from peers/ that obeys commands, as
// peers/shared.js says.
type foreign struct {
	t      *testing.T
	script string
	in     io.Writer
	out    *bufio.Scanner
}

// asset is an asset as the scripts write it.
type asset struct {
	Code  string `json:"code"`
	Scale uint8  `json:"scale"`
}

// String returns it as pochi's commands take it.
func (a asset) String() string { return fmt.Sprintf("%s/%d", a.Code, a.Scale) }

// moved is money that a script counted in packets that were fulfilled, and how many were rejected, by code.
type moved struct {
	Amount  uint64 `json:",string"`
	Packets int
	Refused map[string]int
}

// sums is what a script counted on one link. Counted is what the library itself says it received, and Owed what its connector
// says that the wallet owes it.
type sums struct {
	Sent, Received moved
	Counted        string
	Owed           string
}

// paid is a payment as a script made it.
type paid struct {
	Sent, Delivered uint64 `json:",string"`
	Packets         int
	Asset           asset
}

// startForeign starts a script, which ends with the test, and reads what it says about itself.
func startForeign(t *testing.T, script string, config, about any) *foreign {
	t.Helper()
	if _, err := os.Stat("node_modules/ilp-protocol-stream"); err != nil {
		t.Skip("the independent implementations aren't there: npm ci --prefix e2e --ignore-scripts, or make test, fetches them")
	}
	argument, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), interopMax)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, "node", "peers/"+script, string(argument))
	cmd.Stderr = t.Output()
	endWithTest(cmd)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close() // then it ends
		if err := cmd.Wait(); err != nil {
			t.Errorf("%s: %v", script, err)
		}
	})
	f := &foreign{t: t, script: script, in: in, out: bufio.NewScanner(out)}
	f.out.Buffer(nil, 1<<20)
	f.read(about)
	return f
}

// read reads one answer.
func (f *foreign) read(answer any) {
	f.t.Helper()
	if problem := f.tryRead(answer); problem != "" {
		f.t.Fatalf("%s: %s", f.script, problem)
	}
}

// tryRead is read, and returns the script's own error.
func (f *foreign) tryRead(answer any) (problem string) {
	f.t.Helper()
	if !f.out.Scan() {
		f.t.Fatalf("%s has ended: %v", f.script, f.out.Err())
	}
	var failed struct{ Error string }
	if err := json.Unmarshal(f.out.Bytes(), &failed); err != nil {
		f.t.Fatalf("%s said %q: %v", f.script, f.out.Text(), err)
	}
	if failed.Error != "" {
		return failed.Error
	}
	if err := json.Unmarshal(f.out.Bytes(), answer); err != nil {
		f.t.Fatalf("%s said %q: %v", f.script, f.out.Text(), err)
	}
	return ""
}

// do has the script obey a command, which must succeed.
func (f *foreign) do(answer any, command string, arguments map[string]any) {
	f.t.Helper()
	f.order(command, arguments)
	f.read(answer)
}

func (f *foreign) order(command string, arguments map[string]any) {
	f.t.Helper()
	request := map[string]any{"do": command}
	for name, value := range arguments {
		request[name] = value
	}
	if err := json.NewEncoder(f.in).Encode(request); err != nil {
		f.t.Fatal(err)
	}
}

// sums asks the script what moved.
func (f *foreign) sums() sums {
	f.t.Helper()
	var s sums
	f.do(&s, "sums", nil)
	return s
}
