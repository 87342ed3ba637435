package admin

import (
	"net"
	"syscall"
)

func callerOf(c net.Conn) (p caller, ok bool) {
	socket, ok := c.(*net.UnixConn)
	if !ok {
		return p, false
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return p, false
	}
	var who *syscall.Ucred
	err = raw.Control(func(fd uintptr) {
		who, _ = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	})
	if err != nil || who == nil {
		return p, false
	}
	return caller{uid: int(who.Uid), pid: int(who.Pid)}, true
}
