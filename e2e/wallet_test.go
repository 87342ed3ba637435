package e2e

import (
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	startMax = 30 * time.Second // until a process answers
	stopMax  = 10 * time.Second // until a process that was told to end has ended
	pollStep = 20 * time.Millisecond
)

// wallet is bin/pochi and, beside it, bin/hydra, as people run them.
type wallet struct {
	t           *testing.T
	URL         string // of the pages
	OpsURL      string // of health and metrics
	ILPURL      string // where peers' packets come in
	HydraURL    string // of Hydra's public interface
	HydraAdmin  string // of Hydra's admin interface
	Data        string // POCHI_DATA
	environment []string
	pochi       *process
	hydra       *process
}

// newWallet prepares a wallet without starting anything. Each variable, NAME=value, is given to both processes.
func newWallet(t *testing.T, variables ...string) *wallet {
	t.Helper()
	needPrograms(t)
	ports := freePorts(t, 5)
	w := &wallet{
		t:          t,
		URL:        fmt.Sprintf("http://localhost:%d", ports[0]),
		OpsURL:     fmt.Sprintf("http://127.0.0.1:%d", ports[1]),
		HydraURL:   fmt.Sprintf("http://localhost:%d", ports[2]),
		HydraAdmin: fmt.Sprintf("http://127.0.0.1:%d", ports[3]),
		ILPURL:     fmt.Sprintf("http://127.0.0.1:%d/ilp", ports[4]),
		Data:       t.TempDir(),
	}
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "POCHI_") {
			w.environment = append(w.environment, variable)
		}
	}
	w.environment = append(w.environment,
		"POCHI_ENV=dev",
		"POCHI_DATA="+w.Data,
		"POCHI_DB=sqlite:"+filepath.Join(w.Data, "pochi.db"),
		"POCHI_PUBLIC_URL="+w.URL,
		"POCHI_LISTEN="+fmt.Sprintf("127.0.0.1:%d", ports[0]),
		"POCHI_ILP_LISTEN="+fmt.Sprintf("127.0.0.1:%d", ports[4]),
		"POCHI_OPS_LISTEN="+fmt.Sprintf("127.0.0.1:%d", ports[1]),
		"POCHI_HYDRA_PUBLIC_URL="+w.HydraURL,
		"POCHI_HYDRA_ADMIN_URL="+w.HydraAdmin,
	)
	w.environment = append(w.environment, variables...)
	return w
}

// needPrograms skips the test where nobody says that what it needs is built.
func needPrograms(t *testing.T) {
	t.Helper()
	if os.Getenv("POCHI_E2E") == "" {
		t.Skip("a browser test: run it with POCHI_E2E=1 after make build, or with make test")
	}
}

// startWallet starts Hydra and a wallet, and waits until both answer.
func startWallet(t *testing.T, variables ...string) *wallet {
	t.Helper()
	w := newWallet(t, variables...)
	w.startHydra()
	w.start()
	return w
}

// startHydra starts Hydra and waits until it is ready.
func (w *wallet) startHydra() {
	w.t.Helper()
	w.hydra = startProcess(w.t, w.environment, "../bin/hydra")
	w.hydra.await(w.HydraAdmin + "/health/ready")
}

// start starts the wallet, or starts it again, and waits until its pages answer.
func (w *wallet) start() {
	w.t.Helper()
	w.pochi = startProcess(w.t, w.environment, "../bin/pochi", "serve")
	w.pochi.await(w.URL + "/")
}

// kill ends the wallet as a power cut would: with SIGKILL, whatever it is doing.
func (w *wallet) kill() {
	w.t.Helper()
	if err := w.pochi.cmd.Process.Kill(); err != nil {
		w.t.Fatalf("kill the wallet: %v", err)
	}
	<-w.pochi.ended
}

// command runs bin/pochi with arguments beside the wallet and returns what it printed and whether it exited with 0.
func (w *wallet) command(arguments ...string) (output string, ok bool) {
	w.t.Helper()
	cmd := exec.CommandContext(testContext(w.t), "../bin/pochi", arguments...)
	cmd.Env = w.environment
	printed, err := cmd.CombinedOutput()
	return string(printed), err == nil
}

// process is a program that the test started and that ends with it.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	ended chan struct{} // closed when it has ended
	log   *logBuffer
}

// startProcess starts a program. It is told to end when the test does; its log is shown if the test failed.
func startProcess(t *testing.T, environment []string, program string, arguments ...string) *process {
	t.Helper()
	if _, err := os.Stat(program); err != nil {
		t.Fatalf("%s isn't built: make build", program)
	}
	p := &process{t: t, ended: make(chan struct{}), log: &logBuffer{}}
	p.cmd = exec.CommandContext(testContext(t), program, arguments...)
	p.cmd.Env = environment
	p.cmd.Stdout = p.log
	p.cmd.Stderr = p.log
	endWithTest(p.cmd)
	if err := p.cmd.Start(); err != nil {
		t.Fatalf("start %s: %v", program, err)
	}
	go func() {
		_ = p.cmd.Wait() // how it ended is in its log
		close(p.ended)
	}()
	t.Cleanup(func() {
		p.stop()
		if t.Failed() {
			t.Logf("log of %s:\n%s", filepath.Base(program), p.log)
		}
	})
	return p
}

// stop asks the process to end and, if it doesn't, ends it: that is a failure of the test.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(os.Interrupt) // fails only if it has ended
	select {
	case <-p.ended:
	case <-time.After(stopMax):
		p.t.Errorf("%s didn't stop within %v", p.cmd.Path, stopMax)
		_ = p.cmd.Process.Kill()
		<-p.ended
	}
}

// hasEnded reports whether the process has.
func (p *process) hasEnded() bool {
	select {
	case <-p.ended:
		return true
	default:
		return false
	}
}

// await waits until url answers with anything but an error of the server.
func (p *process) await(url string) {
	p.t.Helper()
	poll(p.t, startMax, url+" answers", func() bool {
		if p.hasEnded() {
			p.t.Fatalf("%s ended before it answered", p.cmd.Path)
		}
		answer, err := http.Get(url)
		if err != nil {
			return false
		}
		answer.Body.Close()
		return answer.StatusCode < 500
	})
}

// poll asks until what holds, and fails the test if it doesn't within the limit.
func poll(t *testing.T, limit time.Duration, what string, holds func() bool) {
	t.Helper()
	deadline := time.After(limit)
	tick := time.NewTicker(pollStep)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited %v in vain until %s", limit, what)
		}
	}
}

// testContext ends shortly before the test's deadline, so that its processes never outlive it.
func testContext(t *testing.T) context.Context {
	ctx := context.Background()
	if deadline, ok := t.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-stopMax))
		t.Cleanup(cancel)
	}
	return ctx
}

// portsTaken are all that freePorts has found.
var portsTaken sync.Map

// freePorts finds n different free ports of the loopback address. They lie below those that a system gives to connections: until
// somebody listens there, no connection of another test can get one.
func freePorts(t *testing.T, n int) []int {
	t.Helper()
	const first, tries = 11_000, 20_000
	var ports []int
	for range tries {
		port := first + rand.IntN(tries)
		if _, taken := portsTaken.LoadOrStore(port, true); taken {
			continue
		}
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue // somebody else listens
		}
		listener.Close()
		if ports = append(ports, port); len(ports) == n {
			return ports
		}
	}
	t.Fatalf("no %d free ports between %d and %d", n, first, first+tries)
	return nil
}

// fetch gets url as a program would, with the headers given as pairs, and returns its status and body.
func fetch(t *testing.T, url string, headers ...string) (status int, body string) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	read, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, string(read)
}

// logBuffer keeps what a process prints. It is safe for concurrent use.
type logBuffer struct {
	mutex sync.Mutex
	text  strings.Builder
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mutex.Lock()
	defer b.mutex.Unlock()
	return b.text.String()
}
