//! Two things at once: one again and again for as long as the other takes.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// Does one thing, and gives what it gives; meanwhile another again and again, at least once. That one ends with the first
/// also where the first fails: nobody waits for it then.
pub fn meanwhile<T>(mut again: impl FnMut() + Send, once: impl FnOnce() -> T) -> T {
    let is_over = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            loop {
                again();
                if is_over.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        let _over = Over(&is_over);
        once()
    })
}

/// Says that it is over when it goes, by a panic too.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use super::*;

    #[test]
    fn it_ends_though_what_it_stands_beside_fails() {
        let mut times = 0;
        let failing = || meanwhile(|| times += 1, || panic!("as a failing test does"));
        assert!(catch_unwind(AssertUnwindSafe(failing)).is_err());
        assert!(times > 0);
    }
}
