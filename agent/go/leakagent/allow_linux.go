package leakagent

import "syscall"

// setPtracer is PR_SET_PTRACER of linux/prctl.h.
const setPtracer = 0x59616d61

// allow lets a process and what descends from it read this one, in place of whoever was let before; 0 is nobody. It
// matters where the Yama security module lets processes be read by their ancestors alone; elsewhere the kernel knows no
// such call, and needs none.
func allow(pid int) {
	syscall.RawSyscall(syscall.SYS_PRCTL, setPtracer, uintptr(pid), 0)
}
