//! How large the heap may become until the next collection ends.

use super::counters::Controller;

/// What the collector aims below the memory limit: 3 %, and at least a mebibyte.
const HEADROOM_PERCENT: u64 = 3;
const MIN_HEADROOM: u64 = 1 << 20;
/// How far behind the point at which a collection began its goal is at least.
const MIN_RUNWAY: u64 = 64 << 10;
/// Where no collection goes on, `triggered` is this.
const NOT_TRIGGERED: u64 = u64::MAX;

/// As `gcControllerState.heapGoalInternal` works it out (`runtime/mgcpacer.go`, the same in Go 1.21 to
/// 1.27), in bytes.
pub(super) fn heap_goal(controller: &Controller) -> u64 {
    let by_limit = by_memory_limit(controller);
    if by_limit < controller.percent_goal {
        return by_limit;
    }
    let goal = controller.percent_goal.max(controller.sweep_trigger);
    match controller.triggered {
        NOT_TRIGGERED => goal,
        triggered => goal.max(triggered.saturating_add(MIN_RUNWAY)),
    }
}

fn by_memory_limit(controller: &Controller) -> u64 {
    let objects = controller.total_alloc.saturating_sub(controller.total_free);
    let limit = controller.memory_limit;
    let other =
        controller.mapped_ready.saturating_sub(controller.heap_free.saturating_add(objects));
    let overage = controller.mapped_ready.saturating_sub(limit);
    let Some(goal) = limit.checked_sub(other.saturating_add(overage)).filter(|goal| *goal > 0)
    else {
        return controller.heap_marked;
    };
    let headroom = (goal / 100 * HEADROOM_PERCENT).max(MIN_HEADROOM);
    let goal = goal.saturating_sub(headroom).max(headroom);
    goal.max(controller.heap_marked)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn idle() -> Controller {
        Controller {
            memory_limit: i64::MAX.unsigned_abs(),
            percent_goal: 4 << 20,
            triggered: NOT_TRIGGERED,
            mapped_ready: 8 << 20,
            total_alloc: 3 << 20,
            total_free: 1 << 20,
            ..Controller::default()
        }
    }

    #[test]
    fn by_gogc_where_no_limit_is_near() {
        assert_eq!(heap_goal(&idle()), 4 << 20);
        assert_eq!(heap_goal(&Controller { sweep_trigger: 5 << 20, ..idle() }), 5 << 20);
        let running = Controller { triggered: 6 << 20, ..idle() };
        assert_eq!(heap_goal(&running), (6 << 20) + MIN_RUNWAY);
    }

    #[test]
    fn by_the_memory_limit_where_that_is_less() {
        let limited = Controller { percent_goal: u64::MAX, memory_limit: 1 << 30, ..idle() };
        let goal = (1_u64 << 30) - (6 << 20);
        assert_eq!(heap_goal(&limited), goal - goal / 100 * 3);
        // What is no heap leaves nothing.
        let full = Controller { memory_limit: 5 << 20, heap_marked: 77, ..limited };
        assert_eq!(heap_goal(&full), 77);
    }
}
