#![no_std]
//! The types and limits that both sides of the kernel border share: the agent and its eBPF programs.
//! Empty until there are probes.
