//! The live view's loop: samples, keys and clicks in, frames out, and the terminal as it was at the
//! end.

use std::io;
use std::panic;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::TryRecvError;
use std::thread;
use std::time::Duration;

use crossterm::event::{DisableMouseCapture, EnableMouseCapture, Event as Input};
use crossterm::terminal::{BeginSynchronizedUpdate, EndSynchronizedUpdate};
use crossterm::{execute, queue};

use super::action::Action;
use super::state::State;
use super::view::Hits;
use super::{input, keys, mouse, view};
use crate::model::Update;

/// Whether the terminal sends us its mouse.
static MOUSE: AtomicBool = AtomicBool::new(false);

/// Gives the terminal back when it goes out of scope. A panic gives it back too, before its message
/// is printed, in whichever thread: the mouse by our hook, the screen by ratatui's.
struct Restore;

impl Drop for Restore {
    fn drop(&mut self) {
        // A screen that is left twice puts the cursor back into what was printed in between.
        if thread::panicking() {
            return;
        }
        // There is nobody to tell: what cannot be written to has no mouse to give back.
        _ = take_mouse(false);
        ratatui::restore();
    }
}

/// Takes the mouse, or gives it back to the terminal.
fn take_mouse(take: bool) -> io::Result<()> {
    match MOUSE.swap(take, Ordering::SeqCst) {
        before if before == take => Ok(()),
        _ if take => execute!(io::stdout(), EnableMouseCapture),
        _ => execute!(io::stdout(), DisableMouseCapture),
    }
}

fn give_mouse_back_on_panic() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let next = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            _ = take_mouse(false);
            next(info);
        }));
    });
}

/// Shows samples until `next` says that there are no more, somebody quits, the terminal is gone, or
/// `stop` is set.
///
/// # Errors
/// When the terminal cannot be used.
pub fn run(
    next: impl Fn() -> Result<Update, TryRecvError>,
    stop: &AtomicBool,
    colour: bool,
) -> io::Result<()> {
    give_mouse_back_on_panic();
    let mut terminal = ratatui::try_init()?;
    let _restore = Restore;
    let mut state = State::default();
    let mut hits = Hits::default();
    let mut changed = true;
    let mut wait = input::TICK;
    while !state.quit && !stop.load(Ordering::Relaxed) {
        loop {
            match next() {
                Ok(event) => {
                    state.event(event);
                    changed = true;
                }
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return Ok(()),
            }
        }
        take_mouse(state.mouse)?;
        if std::mem::take(&mut changed) {
            // A terminal that knows it (mode 2026) shows the frame when it is whole.
            queue!(io::stdout(), BeginSynchronizedUpdate)?;
            terminal.draw(|frame| hits = view::draw(&mut state, frame, colour))?;
            execute!(io::stdout(), EndSynchronizedUpdate)?;
        }
        if input::is_hung_up(wait)? {
            return Ok(());
        }
        wait = input::TICK;
        // All that is there, so that a wheel that is turned fast is one frame.
        while !state.quit {
            let Some(input) = input::next()? else { break };
            changed |= matches!(input, Input::Resize(..));
            if let Some(action) = action(&input, &state, &hits) {
                state.act(action);
                changed = true;
                // What is clicked next is clicked on the screen as it then is.
                if matches!(action, Action::Select(_) | Action::Tab(_)) {
                    wait = Duration::ZERO;
                    break;
                }
            }
        }
    }
    Ok(())
}

fn action(input: &Input, state: &State, hits: &Hits) -> Option<Action> {
    match *input {
        Input::Key(key) => keys::action(key, state.typing),
        Input::Mouse(event) => mouse::action(event, hits),
        _ => None,
    }
}
