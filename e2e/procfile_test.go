package e2e

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

// TestWalletOutlivesHydra starts everything as make run does, and kills Hydra.
func TestWalletOutlivesHydra(t *testing.T) {
	w := newWallet(t)
	all := startProcess(t, w.environment, "../tools/run")
	all.await(w.OpsURL + "/healthz")
	poll(t, startMax, "everything runs", healthIs(w, "ok"))
	poll(t, startMax, "it says where", func() bool { return strings.Contains(all.log.String(), "Ready: "+w.URL+" ") })
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
	if code := all.cmd.ProcessState.ExitCode(); code != 0 {
		t.Errorf("after Ctrl-C it exits with %d, want 0", code)
	}
	for _, pid := range left {
		if syscall.Kill(pid, 0) == nil {
			t.Errorf("process %d outlives Ctrl-C", pid)
		}
	}
}

// TestWalletThatEndsStopsEverything kills the wallet below a running Procfile.
func TestWalletThatEndsStopsEverything(t *testing.T) {
	w := newWallet(t)
	all := startProcess(t, w.environment, "../tools/run")
	all.await(w.OpsURL + "/healthz")
	poll(t, startMax, "everything runs", healthIs(w, "ok"))
	hydra := descendant(t, all.cmd.Process.Pid, "bin/hydra")
	if err := syscall.Kill(descendant(t, all.cmd.Process.Pid, "bin/pochi serve"), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	poll(t, startMax, "everything has stopped", all.hasEnded)
	if code := all.cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("it exits with %d, want 1", code)
	}
	if syscall.Kill(hydra, 0) == nil {
		t.Error("Hydra outlives the wallet")
	}
}

// TestRunThatCannotStart says why in one line, before anything runs.
func TestRunThatCannotStart(t *testing.T) {
	for _, test := range []struct {
		name      string
		variables func(*testing.T, *wallet) []string
		want      string
	}{
		{"rates", set("POCHI_RATES=USD=0"), "pochi: POCHI_RATES"},
		{"production", set("POCHI_ENV=production"), "pochi: POCHI_SECRET is missing"},
		{"misspelt", set("POCHI_LISTENN=127.0.0.1:1"), "pochi: POCHI_LISTENN"},
		{"Hydra's secret", set("POCHI_HYDRA_SECRET=short"), "hydra: POCHI_HYDRA_SECRET"},
		{"Hydra's port in use", func(t *testing.T, w *wallet) []string {
			listener, err := net.Listen("tcp", strings.TrimPrefix(w.HydraAdmin, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { listener.Close() })
			return nil
		}, "of POCHI_HYDRA_ADMIN_URL can't be used"},
		{"another wallet's data", func(t *testing.T, w *wallet) []string {
			other := newWallet(t)
			other.start()
			return []string{"POCHI_DATA=" + other.Data, "POCHI_DB=sqlite:" + filepath.Join(other.Data, "pochi.db")}
		}, "pochi: POCHI_DATA or POCHI_DB: the folder "},
	} {
		t.Run(test.name, func(t *testing.T) {
			w := newWallet(t)
			environment := append(w.environment, test.variables(t, w)...)
			all := startProcess(t, environment, "../tools/run")
			poll(t, startMax, "it has ended", all.hasEnded)
			log := all.log.String()
			if code := all.cmd.ProcessState.ExitCode(); code != 1 || strings.Count(log, "\n") != 1 || !strings.Contains(log, test.want) {
				t.Errorf("it exits with %d and says %q; want 1 and one line with %q", code, log, test.want)
			}
		})
	}
}

func set(variable string) func(*testing.T, *wallet) []string {
	return func(*testing.T, *wallet) []string { return []string{variable} }
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
	for pid, runs := range descendants(t, ancestor) {
		if runs == command {
			return pid
		}
	}
	t.Fatalf("no %s below process %d (%d)", command, ancestor, os.Getpid())
	return 0
}

// descendants are the processes below ancestor, each with the command that it runs.
func descendants(t *testing.T, ancestor int) map[int]string {
	t.Helper()
	out, err := exec.Command("ps", "-A", "-o", "pid=,ppid=,args=").Output()
	if err != nil {
		t.Fatal(err)
	}
	parents, commands, found := map[int]int{}, map[int]string{}, map[int]string{}
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		pid, errPID := strconv.Atoi(fields[0])
		parent, errParent := strconv.Atoi(fields[1])
		if errPID != nil || errParent != nil {
			t.Fatalf("ps says %q", line)
		}
		parents[pid], commands[pid] = parent, strings.Join(fields[2:], " ")
	}
	for pid, command := range commands {
		for above := parents[pid]; above > 1; above = parents[above] {
			if above == ancestor {
				found[pid] = command
			}
		}
	}
	return found
}
