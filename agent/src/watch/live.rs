//! The live view's loop: looks and keys in, frames out, and the terminal as it was at the end.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, TryRecvError};
use std::time::Duration;

use ratatui::crossterm::event::{self, Event as Input};

use super::state::State;
use super::{Event, keys, view};

/// How long a key is waited for before looks and signals are attended to.
const TICK: Duration = Duration::from_millis(50);

/// Gives the terminal back when it goes out of scope. A panic gives it back too: ratatui's hook
/// does so before the message is printed, in whichever thread.
struct Restore;

impl Drop for Restore {
    fn drop(&mut self) {
        ratatui::restore();
    }
}

/// Shows looks until there are no more, somebody quits, or `stop` is set.
///
/// # Errors
/// When the terminal cannot be used.
pub fn run(events: &Receiver<Event>, stop: &AtomicBool, colour: bool) -> io::Result<()> {
    let mut terminal = ratatui::try_init()?;
    let _restore = Restore;
    let mut state = State::default();
    let mut changed = true;
    while !state.quit && !stop.load(Ordering::Relaxed) {
        loop {
            match events.try_recv() {
                Ok(event) => {
                    state.event(event);
                    changed = true;
                }
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return Ok(()),
            }
        }
        if std::mem::take(&mut changed) {
            terminal.draw(|frame| view::draw(&mut state, frame, colour))?;
        }
        if event::poll(TICK)? {
            match event::read()? {
                Input::Key(key) => {
                    if let Some(action) = keys::action(key, state.typing) {
                        state.act(action);
                        changed = true;
                    }
                }
                Input::Resize(..) => changed = true,
                _ => {}
            }
        }
    }
    Ok(())
}
