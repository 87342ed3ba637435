package e2e

import (
	"os/exec"
	"syscall"
)

// endWithTest makes the kernel end the program should the tests be killed before they can do it.
func endWithTest(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
