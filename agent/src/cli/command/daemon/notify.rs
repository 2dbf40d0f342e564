//! What the service manager is told (sd_notify(3)): nothing where there is none. What it cannot be told, nobody can.

use sd_notify::NotifyState;

/// All is set up, or the configuration was read again.
pub(super) fn ready() {
    tell(&[NotifyState::Ready]);
}

/// The configuration is being read again.
pub(super) fn reloading() {
    let mut states = vec![NotifyState::Reloading];
    states.extend(NotifyState::monotonic_usec_now());
    tell(&states);
}

/// It is about to end.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

/// It goes on: told every second, whatever interval the watchdog has.
pub(super) fn alive() {
    if sd_notify::watchdog_enabled().is_some() {
        tell(&[NotifyState::Watchdog]);
    }
}

fn tell(states: &[NotifyState<'_>]) {
    _ = sd_notify::notify(states);
}
