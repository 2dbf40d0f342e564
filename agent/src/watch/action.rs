//! What somebody at the keyboard or the mouse wants.

use super::state::Tab;

/// What is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// End.
    Quit,
    /// Leave the help, the filter being typed, the details or the filter.
    Back,
    /// Move the selection, or the details, by this many lines.
    Move(isize),
    /// Turn the wheel by this many notches: a row each, or three lines of details.
    Wheel(isize),
    /// To the first line.
    First,
    /// To the last.
    Last,
    /// Select a row by its place in the list; open it if it is selected already.
    Select(usize),
    /// Open the selected row, or close its details; keep the filter that was typed.
    Enter,
    /// Sort by the next order.
    Sort,
    /// Type a filter.
    Filter,
    /// A letter of the filter.
    Type(char),
    /// Take back the last letter.
    Erase,
    /// Hold what is shown, or go on.
    Pause,
    /// Show the keys, or hide them.
    Help,
    /// Show a tab.
    Tab(Tab),
    /// The tab to the right, beyond the last the first.
    NextTab,
    /// The tab to the left.
    PreviousTab,
    /// The next target, beyond the last the first.
    NextTarget,
    /// The target before.
    PreviousTarget,
    /// Take the mouse, or leave it to the terminal, which can then select text.
    Mouse,
    /// A key that means nothing; it closes the help as any other.
    Nothing,
}
