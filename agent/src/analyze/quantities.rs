//! What of a window is followed over time.

use super::trends::Curve;
use super::window::Window;
use crate::model::{Quantity, Subjects};

/// Each quantity that was looked at, over time.
pub(super) fn quantities(window: &Window, subjects: Subjects) -> Vec<(Quantity, Curve)> {
    let mut all = Vec::new();
    if subjects.goroutines {
        all.push((Quantity::Goroutines, Curve::counted(&window.totals())));
        all.push((Quantity::Created, Curve::through(window.created())));
    }
    if subjects.memory {
        let (memory, resources) = (window.memory(), window.resources());
        all.push((Quantity::LiveHeap, memory.live()));
        all.push((Quantity::Resident, memory.resident()));
        all.push((Quantity::Descriptors, resources.descriptors()));
    }
    all.push((Quantity::Cpu, Curve::through(window.cpu())));
    all
}
