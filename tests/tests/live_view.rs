//! The live view on a real terminal: tabs, details, mouse, pause, and the terminal given back.
#![allow(clippy::expect_used)]

use leak_agent_tests::Target;
use leak_agent_tests::screen::Screen;
use nix::sys::signal::Signal;

/// Its deadlocks are found in the first sample.
const TARGET: (&str, &str, &str) = ("1.26.6", "exe", "locks");

fn start(columns: u16, rows: u16) -> (Target, Screen) {
    let (version, mode, name) = TARGET;
    let target = Target::start(version, mode, name).expect("target");
    let pid = target.pid().to_string();
    // A proof would stop it for a moment, sooner or later.
    let args = ["--pid", &pid, "--probes", "off", "--proof", "off", "--interval", "200ms"];
    let screen = Screen::start(&args, columns, rows).expect("screen");
    (target, screen)
}

#[test]
fn keys_lead_through_every_tab() {
    let (_target, mut screen) = start(80, 24);
    screen.shows(&["health ", "VERDICT", "deadlock-cycle", "LIKELY"]).expect("findings first");
    screen.press("\r").expect("Enter");
    screen.shows(&[" finding 1 of ", "deadlock-cycle", "lines below"]).expect("details");
    screen.press("G").expect("to the end");
    screen.shows(&["score ", "stack"]).expect("the end of the details");
    screen.press("\x1b").expect("Esc");
    screen.shows(&["VERDICT"]).expect("the list");
    for (key, parts) in [
        ("2", ["COUNT", "by count"]),
        ("\t", ["HELD BY", "deadlock"]),
        ("\x1b[C", ["GROUP", "└ main.wantGlobal"]),
        ("5", ["resident", "descriptors of"]),
        ("6", ["no probes", "never paused"]),
        ("4", ["GROUP", "Enter opens"]),
        ("\x1b[Z", ["HELD BY", "Enter opens"]),
        ("1", ["VERDICT", "worst first"]),
        ("?", ["keys", "end, and print the report"]),
    ] {
        screen.press(key).expect("a key");
        screen.shows(&parts).expect(key);
    }
    screen.press("x/channel").expect("any key closes the help; then a filter");
    screen
        .until("filtered", |text| text.contains("/channel█") && !text.contains("keys"))
        .expect("a filter");
    screen.press("\x1b").expect("Esc");
    screen.until("unfiltered", |text| !text.contains("/channel")).expect("no filter");
    screen.press("q").expect("quit");
    let (status, text) = screen.end().expect("the terminal as it was");
    assert_eq!(status.code(), Some(1), "{text}");
    assert!(text.contains("result ") && text.contains("findings: "), "{text}");
}

#[test]
fn the_mouse_changes_tabs_and_opens_rows_and_can_be_left_to_the_terminal() {
    let (_target, mut screen) = start(100, 30);
    screen.shows(&["VERDICT"]).expect("findings");
    assert!(screen.has_mouse());
    screen.click("3 Locks").expect("a tab");
    screen.shows(&["HELD BY"]).expect("locks");
    screen.click("each other").expect("a row");
    screen.click("each other").expect("the same row");
    screen.shows(&["wait for each other in a cycle"]).expect("its details");
    screen.press("m").expect("the mouse");
    screen.until("left alone", |_| !screen.has_mouse()).expect("no mouse");
    screen.press("q").expect("quit");
    assert_eq!(screen.end().expect("the terminal as it was").0.code(), Some(1));
}

#[test]
fn paused_every_number_stays_and_a_signal_ends_in_the_report() {
    for (end, size) in [(Signal::SIGTERM, (80, 24)), (Signal::SIGINT, (60, 16))] {
        let (_target, mut screen) = start(size.0, size.1);
        screen.shows(&["VERDICT"]).expect("findings");
        screen.press("p").expect("pause");
        let head = |text: &str| text.lines().take(3).map(str::to_owned).collect::<Vec<_>>();
        let before = screen.shows(&["PAUSED at sample"]).expect("paused");
        let after = screen.shows(&["2 newer"]).expect("newer samples");
        assert_eq!(head(&before), head(&after));
        screen.signal(end).expect("a signal");
        let (status, text) = screen.end().expect("the terminal as it was");
        assert_eq!(status.code(), Some(1), "{text}");
        assert!(text.contains("result "), "{text}");
    }
}

#[test]
fn without_its_terminal_it_ends() {
    let (_target, screen) = start(80, 24);
    screen.shows(&["VERDICT"]).expect("findings");
    screen.hang_up().expect("an end");
}
