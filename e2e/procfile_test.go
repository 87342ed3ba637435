package e2e

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestWalletOutlivesHydra runs the Procfile as make run does, and kills Hydra.
func TestWalletOutlivesHydra(t *testing.T) {
	w := newWallet(t)
	all := startProcess(t, w.environment, "../bin/hivemind", "../Procfile")
	all.await(w.OpsURL + "/healthz")
	poll(t, startMax, "everything runs", healthIs(w, "ok"))
	hydra := descendant(t, all.cmd.Process.Pid, "bin/hydra")
	if err := syscall.Kill(hydra, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	poll(t, startMax, "Hydra is missed", healthIs(w, "degraded"))
	if status, _ := fetch(t, w.URL+"/login"); status != http.StatusOK {
		t.Errorf("without Hydra, log-in answers %d", status)
	}
	poll(t, startMax, "Hydra is back", healthIs(w, "ok"))

	left := []int{hydra, descendant(t, all.cmd.Process.Pid, "bin/hydra"), descendant(t, all.cmd.Process.Pid, "bin/pochi serve")}
	all.stop()
	for _, pid := range left {
		if syscall.Kill(pid, 0) == nil {
			t.Errorf("process %d outlives Ctrl-C", pid)
		}
	}
}

// TestHydraThatCannotStartStopsEverything starts the Procfile while something else has Hydra's port.
func TestHydraThatCannotStartStopsEverything(t *testing.T) {
	w := newWallet(t)
	listener, err := net.Listen("tcp", strings.TrimPrefix(w.HydraAdmin, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	all := startProcess(t, w.environment, "../bin/hivemind", "../Procfile")
	poll(t, startMax, "everything has stopped", func() bool {
		select {
		case <-all.ended:
			return true
		default:
			return false
		}
	})
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	want := fmt.Sprintf("hydra: port %s of POCHI_HYDRA_ADMIN_URL can't be used", port)
	if log := all.log.String(); strings.Count(log, "hydra: ") != 1 || !strings.Contains(log, want) {
		t.Errorf("it says %q, want one line with %q", log, want)
	}
}

// healthIs returns whether the wallet, which must serve, gives itself that status.
func healthIs(w *wallet, want string) func() bool {
	return func() bool {
		w.t.Helper()
		status, body := fetch(w.t, w.OpsURL+"/healthz")
		if status != http.StatusOK {
			w.t.Errorf("/healthz answers %d: %s", status, body)
		}
		return strings.Contains(body, fmt.Sprintf(`"status":%q`, want))
	}
}

// descendant is the process below ancestor that runs exactly this command.
func descendant(t *testing.T, ancestor int, command string) int {
	t.Helper()
	out, err := exec.Command("ps", "-A", "-o", "pid=,ppid=,args=").Output()
	if err != nil {
		t.Fatal(err)
	}
	parents, found := map[int]int{}, 0
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		pid, errPID := strconv.Atoi(fields[0])
		parent, errParent := strconv.Atoi(fields[1])
		if errPID != nil || errParent != nil {
			t.Fatalf("ps says %q", line)
		}
		parents[pid] = parent
	}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		pid, _ := strconv.Atoi(fields[0])
		if strings.Join(fields[2:], " ") != command {
			continue
		}
		for above := pid; above > 1; above = parents[above] {
			if above == ancestor {
				found = pid
			}
		}
	}
	if found == 0 {
		t.Fatalf("no %s below process %d (%d)", command, ancestor, os.Getpid())
	}
	return found
}
