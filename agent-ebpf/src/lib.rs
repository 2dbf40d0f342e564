#![no_std]
//! The eBPF programs of leak-agent: goroutine creation, park and exit.
//! Empty until there are probes; kept so that the workspace has its final shape.
