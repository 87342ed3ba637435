package bench

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// roleVariable makes the test binary a server: its value says which. What it is to do is a line of JSON on its standard input, and
// it ends with that.
const roleVariable = "BENCH_ROLE"

func TestMain(m *testing.M) {
	role := os.Getenv(roleVariable)
	if role == "" {
		os.Exit(m.Run())
	}
	if err := serveRole(role); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", role, err)
		os.Exit(1)
	}
}

func serveRole(role string) error {
	in := bufio.NewReader(os.Stdin)
	spec, err := in.ReadBytes('\n')
	if err != nil {
		return err
	}
	defer profile(role)()
	switch role {
	case "wallet":
		return serveWallet(spec, in)
	case "bare":
		return serveBare(spec, in)
	}
	return fmt.Errorf("there is no such role")
}

// profile writes a CPU profile, if one is wanted, until it is ended.
func profile(role string) (end func()) {
	folder := os.Getenv("BENCH_PROFILES")
	if folder == "" {
		return func() {}
	}
	f, err := os.Create(filepath.Join(folder, fmt.Sprintf("%s-%d.pprof", role, os.Getpid())))
	if err == nil {
		err = pprof.StartCPUProfile(f)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return func() {}
	}
	return pprof.StopCPUProfile
}

// profileHeap writes a profile of what is in use, if profiles are wanted.
func profileHeap() {
	folder := os.Getenv("BENCH_PROFILES")
	if folder == "" {
		return
	}
	f, err := os.CreateTemp(folder, fmt.Sprintf("heap-%d-*.pprof", os.Getpid()))
	if err == nil {
		err = errors.Join(pprof.WriteHeapProfile(f), f.Close())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
}

// usage is what a process has used so far. Heap and Resident are in bytes, after a garbage collection if that was asked for.
type usage struct {
	CPU            time.Duration
	Heap, Resident uint64
}

// answerQuestions says what this process uses, whenever it is asked, until there are no more questions.
func answerQuestions(in *bufio.Reader) error {
	out := json.NewEncoder(os.Stdout)
	for {
		switch question, err := in.ReadString('\n'); {
		case err == io.EOF:
			return nil
		case err != nil:
			return err
		case question == "memory\n":
			runtime.GC()         // what is kept to be used again leaves with the second
			debug.FreeOSMemory() // collects, and gives back
			profileHeap()
		}
		u, err := ownUsage()
		if err != nil {
			return err
		}
		if err := out.Encode(u); err != nil {
			return err
		}
	}
}

func ownUsage() (usage, error) {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return usage{}, err
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return usage{time.Duration(r.Utime.Nano() + r.Stime.Nano()), m.HeapAlloc, resident()}, nil
}

// resident returns how much memory the process has, 0 where the system doesn't tell.
func resident() uint64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	var all, pages uint64
	if _, err := fmt.Sscan(string(b), &all, &pages); err != nil {
		return 0
	}
	return pages * uint64(os.Getpagesize())
}

// child is a process that serves.
type child struct {
	b       *testing.B
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

// startChild starts the test binary in a role, and returns when it says that it serves.
func startChild(b *testing.B, role string, spec any) *child {
	b.Helper()
	program, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	c := exec.Command(program)
	c.Env = append(withoutOwn(os.Environ()), roleVariable+"="+role)
	return runChild(b, c, spec)
}

// runChild starts a program that reads a line of JSON, says a line when it serves, and ends with its input.
func runChild(b *testing.B, c *exec.Cmd, spec any) *child {
	b.Helper()
	c.Stderr = os.Stderr
	in, err := c.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := c.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := c.Start(); err != nil {
		b.Fatal(err)
	}
	p := &child{b, c, in, bufio.NewReader(out)}
	b.Cleanup(p.stop)
	if err := json.NewEncoder(in).Encode(spec); err != nil {
		b.Fatal(err)
	}
	if _, err := p.out.ReadString('\n'); err != nil {
		b.Fatalf("%s doesn't serve: %v", c, err)
	}
	return p
}

// withoutOwn leaves out what would configure a wallet.
func withoutOwn(environment []string) (out []string) {
	for _, variable := range environment {
		if !strings.HasPrefix(variable, "POCHI_") {
			out = append(out, variable)
		}
	}
	return out
}

func (c *child) stop() {
	c.in.Close()
	if err := c.command.Wait(); err != nil {
		c.b.Errorf("%s: %v", c.command, err)
	}
}

// ask asks for "usage", or for "memory" after a garbage collection.
func (c *child) ask(question string) usage {
	c.b.Helper()
	var u usage
	_, err := io.WriteString(c.in, question+"\n")
	if err == nil {
		var line []byte
		if line, err = c.out.ReadBytes('\n'); err == nil {
			err = json.Unmarshal(line, &u)
		}
	}
	if err != nil {
		c.b.Fatalf("ask for %s: %v", question, err)
	}
	return u
}

// duration and number read what was asked for in the environment.
func duration(b *testing.B, name string, fallback time.Duration) time.Duration {
	b.Helper()
	return variable(b, name, fallback, time.ParseDuration)
}

func number(b *testing.B, name string, fallback int) int {
	b.Helper()
	return variable(b, name, fallback, strconv.Atoi)
}

func variable[T any](b *testing.B, name string, fallback T, parse func(string) (T, error)) T {
	b.Helper()
	text := os.Getenv(name)
	if text == "" {
		return fallback
	}
	v, err := parse(text)
	if err != nil {
		b.Fatalf("%s: %v", name, err)
	}
	return v
}
