//! Go snippets: each mistake, and what looks like it and is none.

use super::{Awaits, Confidence, Facts, Found, Package, Place, Question};
use crate::model::source_rule::{
    BufferSize, CloseWhere, MakeSite, ReceiveMistake, SendMistake, SendProblem,
};
use crate::model::{Mistake, Pattern, SourceNote, WaitClass};

/// One section of a file in `cases`: `=== PATTERN | WAIT CLASS | what it is`, and the code.
struct Case {
    pattern: String,
    wait: WaitClass,
    name: String,
    code: String,
}

const FILES: &[&str] = &[
    include_str!("cases/send.txt"),
    include_str!("cases/receive.txt"),
    include_str!("cases/locks.txt"),
    include_str!("cases/owners.txt"),
];

const WAITS: &[WaitClass] = &[
    WaitClass::ChanSend,
    WaitClass::ChanReceive,
    WaitClass::NilChannel,
    WaitClass::Select,
    WaitClass::EmptySelect,
    WaitClass::Mutex,
    WaitClass::RwMutex,
    WaitClass::Cond,
    WaitClass::WaitGroup,
    WaitClass::IoWait,
    WaitClass::Sleep,
];

fn cases() -> Vec<Case> {
    FILES
        .iter()
        .flat_map(|file| file.split("=== ").skip(1))
        .map(|section| {
            let (head, code) = section.split_once('\n').expect("a head and code");
            let parts: Vec<_> = head.split(" | ").collect();
            let [pattern, wait, name] = parts[..] else { panic!("{head}") };
            Case {
                pattern: pattern.to_owned(),
                wait: *WAITS.iter().find(|class| class.name() == wait).expect(wait),
                name: name.to_owned(),
                code: format!("package main\n\n{code}"),
            }
        })
        .collect()
}

fn marked(code: &str, mark: &str) -> Option<u32> {
    let at = code.lines().position(|line| line.ends_with(mark))?;
    Some(u32::try_from(at).expect("short") + 1)
}

fn ask(code: &str, wait: WaitClass) -> Option<Facts> {
    let created = marked(code, "// GO").map(|line| Place { file: 0, line });
    let line = marked(code, "// BLOCKED").expect("a blocked line");
    Package::of(&[code]).examine(&Question { blocked: Place { file: 0, line }, wait, created })
}

#[test]
fn each_mistake_is_told_from_its_healthy_twin() {
    let mut wrong = Vec::new();
    for case in cases() {
        let facts = ask(&case.code, case.wait).expect(&case.name);
        let found = facts.mistake.as_ref().map_or("none", |found| found.pattern.name());
        if found != case.pattern {
            wrong.push(format!("{} ({}): {found}: {:?}", case.name, case.pattern, facts.mistake));
        }
        assert!(facts.is_found, "{}", case.name);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn line_ends_of_other_systems_and_wrong_lines_change_nothing_else() {
    for case in cases() {
        let unix = ask(&case.code, case.wait);
        let code = case.code.replace('\n', "\r\n");
        let line = marked(&case.code, "// BLOCKED").expect("marked");
        let created = marked(&case.code, "// GO").map(|line| Place { file: 0, line });
        let blocked = Place { file: 0, line };
        let dos = Package::of(&[&code]).examine(&Question { blocked, wait: case.wait, created });
        assert_eq!(unix, dos);
    }
}

#[test]
fn no_text_makes_it_fail() {
    for case in cases() {
        for cut in (0..case.code.len()).step_by(41) {
            let Some(text) = case.code.get(cut..) else { continue };
            let head = &case.code[..cut];
            for (text, line) in [(text, 1), (head, 3), (head, u32::MAX), (text, 0)] {
                let blocked = Place { file: 0, line };
                let created = Some(Place { file: 1, line: 4 });
                let mut files = Package::of(&[text, head]);
                let _ = files.examine(&Question { blocked, wait: case.wait, created });
            }
        }
    }
    for hostile in [
        String::new(),
        "\u{0}".repeat(1000),
        format!("package p\nfunc f() {}{}", "{".repeat(5_000), "\n<-ch"),
        format!("package p\nfunc f() {{ x := {}1 }}", "(".repeat(5_000)),
        format!("package p\nfunc f() {{ {} }}", "go func() { ".repeat(1_000)),
        format!("package p\nfunc f() {{ {} }}", "if x { <-a } else ".repeat(1_000)),
        "{{}}()<-".repeat(2_000),
    ] {
        for line in 1..=3 {
            let blocked = Place { file: 0, line };
            let wait = WaitClass::ChanReceive;
            let _ = Package::of(&[&hostile]).examine(&Question { blocked, wait, created: None });
        }
    }
}

#[test]
fn facts_say_what_kind_of_loop_it_is_and_whether_the_statement_is_there() {
    let code = "package main\n\nfunc (w *Worker[T]) run() {\n\tfor {\n\t\tselect { // BLOCKED\n\t\tcase v := <-w.in:\n\t\t\twork(v)\n\t\tcase <-w.quit:\n\t\t\treturn\n\t\t}\n\t}\n}\n";
    let facts = ask(code, WaitClass::Select).expect("a function is there");
    assert_eq!((facts.is_found, facts.is_worker_loop), (true, Some(true)));

    let facts = ask(code, WaitClass::Mutex).expect("a function is there");
    assert_eq!((facts.is_found, facts.mistake), (false, None), "no lock is there");
    let outside =
        Question { blocked: Place { file: 0, line: 1 }, wait: WaitClass::Select, created: None };
    assert_eq!(Package::of(&[code]).examine(&outside), None);
}

#[test]
fn a_mistake_names_the_variable_and_the_lines() {
    let case = cases().into_iter().next().expect("there are cases");
    let facts = ask(&case.code, case.wait).expect("known");
    let made = MakeSite { line: 4, buffer: BufferSize::Unbuffered };
    let channel = || "ch".to_owned();
    assert_eq!(facts.remarks, [SourceNote::ChannelMade { channel: channel(), made }]);
    let mistake = Mistake::Send(SendMistake {
        channel: channel(),
        send: 6,
        made: Some(made),
        problem: SendProblem::ReturnsFirst { skip: 9, receive: 11 },
    });
    let confidence = Confidence::High;
    let pattern = Pattern::PrematureReturn;
    assert_eq!(facts.mistake, Some(Found { pattern, confidence, mistake }));
}

#[test]
fn the_go_statement_may_be_in_another_file() {
    let blocked = "package p\nfunc serve(ch chan int) {\n\tch <- 1\n}\n";
    let created = "package p\nfunc f(bad bool) {\n\tch := make(chan int)\n\tgo serve(ch)\n\tif bad {\n\t\treturn\n\t}\n\t<-ch\n}\n";
    let question = Question {
        blocked: Place { file: 0, line: 3 },
        wait: WaitClass::ChanSend,
        created: Some(Place { file: 1, line: 4 }),
    };
    let facts = Package::of(&[blocked, created]).examine(&question).expect("known");
    assert_eq!(facts.mistake.map(|found| found.pattern), Some(Pattern::PrematureReturn));
    let alone = Question { created: None, ..question };
    let alone = Package::of(&[blocked]).examine(&alone).expect("known");
    let confidence = alone.mistake.map(|found| found.confidence);
    assert_eq!(confidence, Some(Confidence::Low), "the caller is not at hand");
}

#[test]
fn a_loop_that_a_timer_wakes_and_a_wait_for_signals_are_told() {
    let ticking = "package main\n\nfunc run(quit chan bool) {\n\tt := time.NewTicker(x)\n\tfor {\n\t\tselect { // BLOCKED\n\t\tcase <-t.C:\n\t\t\twork()\n\t\tcase <-quit:\n\t\t\treturn\n\t\t}\n\t}\n}\n";
    let facts = ask(ticking, WaitClass::Select).expect("a function is there");
    assert!(facts.wakes && !facts.awaits_signal);
    assert_eq!(facts.awaits, Awaits::Other);

    let signals = "package main\n\nfunc trap() {\n\tc := make(chan os.Signal, 1)\n\tsignal.Notify(c, os.Interrupt)\n\tfor range c { // BLOCKED\n\t\tstop()\n\t}\n}\n";
    let facts = ask(signals, WaitClass::ChanReceive).expect("a function is there");
    assert!(facts.awaits_signal && !facts.wakes);

    let other = signals.replace("signal.Notify(c,", "signal.Notify(d,");
    let facts = ask(&other, WaitClass::ChanReceive).expect("a function is there");
    assert!(!facts.awaits_signal);
}

/// The mistake of a receive.
fn receive_mistake(code: &str) -> ReceiveMistake {
    let found = ask(code, WaitClass::ChanReceive).and_then(|facts| facts.mistake);
    match found.expect("a mistake").mistake {
        Mistake::Receive(mistake) => mistake,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_waits_for_a_close_that_could_be_deferred_is_told() {
    let code = "package main\n\nfunc f(list []int) error {\n\tjobs, done := make(chan int), make(chan int)\n\tgo func() { // GO\n\t\tfor range jobs { // BLOCKED\n\t\t}\n\t\tclose(done)\n\t}()\n\tfor range list {\n\t\tif bad() {\n\t\t\treturn errBad\n\t\t}\n\t\tjobs <- 1\n\t}\n\tclose(jobs)\n\t<-done\n\treturn nil\n}\n";
    let skipped = |waits_after| {
        let channel = "jobs".to_owned();
        ReceiveMistake::CloseSkipped { channel, close: 16, skip: 12, waits_after }
    };
    assert_eq!(receive_mistake(code), skipped(Some(17)));
    let without = code.replace("\t<-done\n", "");
    assert_eq!(receive_mistake(&without), skipped(None));
}

#[test]
fn a_channel_of_several_senders_is_closed_once_all_have_ended() {
    let code = "package main\n\nfunc f(list []int) {\n\tch := make(chan int)\n\tfor range list {\n\t\tgo func() { ch <- 1 }()\n\t}\n\tfor range ch { // BLOCKED\n\t}\n}\n";
    let unclosed = |close| ReceiveMistake::NeverClosed { channel: "ch".to_owned(), read: 8, close };
    assert_eq!(receive_mistake(code), unclosed(CloseWhere::AfterAllSenders));
    let one = code.replace("\tfor range list {\n", "\t{\n");
    assert_eq!(receive_mistake(&one), unclosed(CloseWhere::WhenSenderReturns(6)));
}

#[test]
fn what_a_name_means_depends_on_the_goroutine_that_is_asked_for() {
    let code = "package main\n\nfunc serve(ch chan int) {\n\tch <- 1\n}\nfunc a() {\n\tx := make(chan int)\n\tgo serve(x)\n\t<-x\n}\nfunc b() {\n\ty := make(chan int)\n\tgo serve(y)\n}\n";
    let mut files = Package::of(&[code]);
    let mut ask = |line| {
        let created = Some(Place { file: 0, line });
        let blocked = Place { file: 0, line: 4 };
        let question = Question { blocked, wait: WaitClass::ChanSend, created };
        files.examine(&question)?.mistake.map(|found| found.pattern)
    };
    for _ in 0..2 {
        assert_eq!(ask(13), Some(Pattern::BlockedProducer));
        assert_eq!(ask(8), None);
    }
}

#[test]
fn rows_that_keep_a_connection_are_told() {
    let code = "package main\n\nfunc list() error {\n\trows, err := db.Query(x) // BLOCKED\n\tif err != nil {\n\t\treturn err\n\t}\n\trows.Next()\n\treturn nil\n}\n";
    let remarks = |code: &str| ask(code, WaitClass::Select).expect("a function is there").remarks;
    assert_eq!(remarks(code), [SourceNote::RowsNotClosed { rows: "rows".to_owned(), made: 4 }]);
    for closes in ["defer rows.Close()", "show(rows)", "for rows.Next() {\n\t}"] {
        let closed = code.replace("rows.Next()", closes);
        assert_eq!(remarks(&closed), [], "{closes}");
    }
}
