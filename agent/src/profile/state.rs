//! What a goroutine does, by its state's text, or by the functions that it is in.

use super::record::{Entry, State};
use crate::model::{StackHints, Status, WaitClass};

/// What a goroutine does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Meaning<'a> {
    /// Its scheduler status. Where nobody says, [`Status::Waiting`]: most do.
    pub status: Status,
    /// The class of its wait; [`WaitClass::Unknown`] where nobody says.
    pub wait: WaitClass,
    /// Its wait reason, if it has one.
    pub reason: Option<&'a str>,
}

impl<'a> Meaning<'a> {
    /// By its state, and what its stack adds to that.
    #[must_use]
    pub fn of_state(state: &State<'a>, stack: &[Entry<'_>]) -> Self {
        // What stands where a reason would, of one that does not wait (`runtime/traceback.go`,
        // `gStatusStrings`).
        let (status, reason) = match state.text {
            "running" => (Status::Running, None),
            "runnable" => (Status::Runnable, None),
            "syscall" => (Status::Syscall, None),
            "preempted" => (Status::Preempted, None),
            "copystack" => (Status::CopyStack, None),
            "waiting" => (Status::Waiting, None),
            "leaked" => (Status::Leaked, None),
            reason if state.leaked => (Status::Leaked, Some(reason)),
            reason => (Status::Waiting, Some(reason)),
        };
        let class = reason.map_or_else(|| of_stack(stack), WaitClass::of_reason);
        // Up to Go 1.19 all waits for locks are called so, and for wait groups up to Go 1.23.
        let class = if class == WaitClass::Semaphore { of_semaphore(stack) } else { class };
        let hints = StackHints { cgo: is_in_c(stack), ..StackHints::default() };
        let wait = status.wait_class(Some(class), hints);
        Self { status, wait, reason }
    }

    /// Whether a state's text does not mean the same with every stack.
    #[must_use]
    pub fn needs_stack(text: &str) -> bool {
        matches!(text, "semacquire" | "syscall" | "waiting" | "leaked")
    }

    /// By the functions that it is in, for profiles that say nothing of states.
    ///
    /// A profile that has the runtime's functions, as pprof's own form does, tells all classes but that of
    /// nil channels, which look as any channel does. One that leaves them out (debug=1) tells waits for
    /// locks, sleeps, the poller and system calls; sends, receives and selects stay unknown.
    #[must_use]
    pub fn of_stack(stack: &[Entry<'_>]) -> Self {
        let wait = of_stack(stack);
        let status = match wait {
            WaitClass::Running => Status::Running,
            WaitClass::Runnable => Status::Runnable,
            WaitClass::Syscall | WaitClass::Cgo => Status::Syscall,
            _ => Status::Waiting,
        };
        Self { status, wait, reason: None }
    }
}

/// The functions of a stack that are known to be together, innermost first.
fn functions<'a>(stack: &'a [Entry<'_>]) -> impl Iterator<Item = &'a str> {
    stack.iter().map_while(|entry| match entry {
        Entry::Call(call) => Some(call.function),
        Entry::Address(_) => Some(""),
        Entry::Elided(_) => None,
    })
}

/// Whether the innermost function is a call into C. The runtime's own, `cgocall`, is left out of most dumps.
fn is_in_c(stack: &[Entry<'_>]) -> bool {
    let innermost = functions(stack).find(|function| !function.is_empty());
    innermost.is_some_and(|function| function == "runtime.cgocall" || is_cgo_stub(function))
}

/// What cgo generates for each function of C (`cmd/cgo/out.go`).
fn is_cgo_stub(function: &str) -> bool {
    function.contains("._Cfunc_") || function.contains("._C2func_")
}

/// What a wait on a semaphore is for.
fn of_semaphore(stack: &[Entry<'_>]) -> WaitClass {
    let class = of_stack(stack);
    let is_lock = matches!(class, WaitClass::Mutex | WaitClass::RwMutex | WaitClass::WaitGroup);
    if is_lock { class } else { WaitClass::Semaphore }
}

/// By the innermost function that tells (Go 1.18 to 1.27).
fn of_stack(stack: &[Entry<'_>]) -> WaitClass {
    let mut functions = functions(stack);
    let mut is_parked = false;
    while let Some(function) = functions.next() {
        return match function {
            "runtime.gopark" | "runtime.goparkunlock" => {
                is_parked = true;
                continue;
            }
            "runtime.semacquire1" | "runtime.semacquire" | "runtime.netpollblock" => continue,
            "runtime.chansend" | "runtime.chansend1" => WaitClass::ChanSend,
            "runtime.chanrecv" | "runtime.chanrecv1" | "runtime.chanrecv2" => {
                WaitClass::ChanReceive
            }
            "runtime.selectgo" => WaitClass::Select,
            "runtime.block" => WaitClass::EmptySelect,
            "time.Sleep" | "runtime.timeSleep" => WaitClass::Sleep,
            "internal/poll.runtime_pollWait" => WaitClass::IoWait,
            "sync.runtime_notifyListWait" => WaitClass::Cond,
            "sync.runtime_SemacquireMutex" | "internal/sync.runtime_SemacquireMutex" => {
                of_lock(functions.next(), WaitClass::Mutex)
            }
            "sync.runtime_SemacquireRWMutex" | "sync.runtime_SemacquireRWMutexR" => {
                WaitClass::RwMutex
            }
            "sync.runtime_SemacquireWaitGroup" => WaitClass::WaitGroup,
            "sync.runtime_Semacquire" => of_lock(functions.next(), WaitClass::Semaphore),
            "internal/poll.runtime_Semacquire" | "internal/sync.runtime_Semacquire" => {
                WaitClass::Semaphore
            }
            // Where the one stands that makes the profile; the last where the runtime's are left out.
            "runtime.goroutineProfileWithLabels"
            | "runtime/pprof.runtime_goroutineProfileWithLabels"
            | "runtime/pprof.writeRuntimeProfile" => WaitClass::Running,
            "runtime.asyncPreempt" | "runtime.Gosched" => WaitClass::Runnable,
            "os/signal.signal_recv" | "runtime.notetsleepg" => WaitClass::Syscall,
            "runtime.cgocall" => WaitClass::Cgo,
            _ if is_cgo_stub(function) => WaitClass::Cgo,
            _ if is_system_call(function) => WaitClass::Syscall,
            _ if is_parked && function.starts_with("runtime.") => WaitClass::Runtime,
            _ => WaitClass::Unknown,
        };
    }
    WaitClass::Unknown
}

/// What a wait in package sync is for, by the function that waits.
fn of_lock(by: Option<&str>, otherwise: WaitClass) -> WaitClass {
    match by {
        Some(by) if by.starts_with("sync.(*RWMutex).") => WaitClass::RwMutex,
        Some("sync.(*WaitGroup).Wait") => WaitClass::WaitGroup,
        _ => otherwise,
    }
}

/// The functions that make system calls (`syscall/syscall_linux.go`, `asm_linux_*.s`, and where they moved).
fn is_system_call(function: &str) -> bool {
    let plain = function
        .strip_prefix("syscall.")
        .or_else(|| function.strip_prefix("runtime/internal/syscall."))
        .or_else(|| function.strip_prefix("internal/runtime/syscall."))
        .or_else(|| function.strip_prefix("internal/runtime/syscall/linux."))
        .or_else(|| function.strip_prefix("golang.org/x/sys/unix."));
    plain.is_some_and(|name| {
        matches!(
            name,
            "Syscall"
                | "Syscall6"
                | "RawSyscall"
                | "RawSyscall6"
                | "syscall"
                | "syscall6"
                | "runtime_entersyscall"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::record::Call;

    fn stack(functions: &[&'static str]) -> Vec<Entry<'static>> {
        let call = |function| Call { function, file: "a.go", line: 1, inlined: false };
        functions.iter().map(|function| Entry::Call(call(*function))).collect()
    }

    fn of_text(text: &str, functions: &[&'static str]) -> (Status, WaitClass, bool) {
        let state = State {
            text,
            minutes: None,
            leaked: false,
            proven: false,
            scan: false,
            durable: false,
            locked_to_thread: false,
            bubble: None,
        };
        let Meaning { status, wait, reason } = Meaning::of_state(&state, &stack(functions));
        (status, wait, reason == Some(text))
    }

    #[test]
    fn a_state_s_text_is_a_status_or_a_reason() {
        for (text, functions, wanted) in [
            ("running", &["main.f"][..], (Status::Running, WaitClass::Running, false)),
            ("runnable", &["main.f"], (Status::Runnable, WaitClass::Runnable, false)),
            ("preempted", &["main.f"], (Status::Preempted, WaitClass::Runnable, false)),
            ("syscall", &["syscall.Syscall"], (Status::Syscall, WaitClass::Syscall, false)),
            ("syscall", &["main._Cfunc_f", "main.f"], (Status::Syscall, WaitClass::Cgo, false)),
            ("syscall", &["runtime.cgocall"], (Status::Syscall, WaitClass::Cgo, false)),
            ("select", &["main.f"], (Status::Waiting, WaitClass::Select, true)),
            ("a new reason", &["main.f"], (Status::Waiting, WaitClass::Unknown, true)),
            ("waiting", &["time.Sleep"], (Status::Waiting, WaitClass::Sleep, false)),
            ("copystack", &[], (Status::CopyStack, WaitClass::Unknown, false)),
        ] {
            assert_eq!(of_text(text, functions), wanted, "{text}");
        }
    }

    #[test]
    fn a_semaphore_is_what_the_stack_says() {
        for (functions, wanted) in [
            (&["sync.runtime_Semacquire", "sync.(*WaitGroup).Wait"][..], WaitClass::WaitGroup),
            (&["sync.runtime_SemacquireMutex", "sync.(*Mutex).lockSlow"], WaitClass::Mutex),
            (&["sync.runtime_SemacquireMutex", "sync.(*RWMutex).RLock"], WaitClass::RwMutex),
            (&["sync.runtime_Semacquire", "sync.(*RWMutex).Lock"], WaitClass::RwMutex),
            (
                &["internal/poll.runtime_Semacquire", "internal/poll.(*FD).Close"],
                WaitClass::Semaphore,
            ),
            (&["main.f"], WaitClass::Semaphore),
        ] {
            assert_eq!(of_text("semacquire", functions).1, wanted, "{functions:?}");
        }
    }

    #[test]
    fn what_frames_left_out_would_say_is_not_guessed() {
        let mut elided = stack(&["runtime.gopark"]);
        elided.push(Entry::Elided(Some(3)));
        elided.extend(stack(&["runtime.selectgo"]));
        for stack in [elided, stack(&["main.f", "time.Sleep"]), stack(&[]), vec![Entry::Address(1)]]
        {
            let meaning = Meaning::of_stack(&stack);
            assert_eq!((meaning.status, meaning.wait), (Status::Waiting, WaitClass::Unknown));
        }
    }
}
