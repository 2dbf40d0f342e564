//! Proves goroutines leaked: finds those that nothing which can still run will ever wake.
//!
//! A goroutine that waits on a channel or a lock is woken by somebody who reaches what it waits on. What can be
//! reached is marked from the roots of the program and from the stacks of all goroutines that can run, as Go's own
//! collector does it; a goroutine whose wait object is reached counts as one that can run too, until nothing
//! changes. What then still waits is proven. `docs/proof.md` argues that this is sound, root by root.
//!
//! It works on values: a [`Still`] is a program that stands still, whether that is a clone of it, the stopped
//! program itself or a recorded image.

mod outcome;
mod still;

pub use outcome::{Figures, Gap, NoProof, Outcome, ProveError, Proven, Unproven, WaitKind};
pub use still::{Still, Thread};
