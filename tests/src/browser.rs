//! A real browser without a window, asked over a pipe by its debugging protocol.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

/// A browser that has not answered for so long never will.
const SILENCE: Duration = Duration::from_secs(90);

/// Names that a Chromium goes by, the smallest first.
const NAMES: [&str; 5] =
    ["chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "chrome"];

/// The screen that a page is shown on.
#[derive(Clone, Copy, Debug)]
pub struct Screen {
    /// Its width, in pixels.
    pub width: u32,
    /// Its height.
    pub height: u32,
    /// Whether its owner likes it dark.
    pub dark: bool,
}

/// A browser with one page. It ends when this value is dropped.
#[derive(Debug)]
pub struct Browser {
    child: Child,
    requests: ChildStdin,
    answers: Receiver<Value>,
    session: Option<String>,
    asked: u64,
    events: Vec<Value>,
    profile: PathBuf,
}

/// The browser of this machine: `LEAK_AGENT_BROWSER`, or a Chromium on the path.
#[must_use]
pub fn find() -> Option<PathBuf> {
    if let Some(path) = env::var_os("LEAK_AGENT_BROWSER") {
        return Some(path.into());
    }
    let path = env::var_os("PATH")?;
    let folders: Vec<_> = env::split_paths(&path).collect();
    let places = NAMES.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name)));
    places.into_iter().find(|place| place.is_file())
}

impl Browser {
    /// Starts a browser and shows it a file, whose `load` event it awaits.
    ///
    /// # Errors
    /// When it does not start, or does not show the page.
    pub fn open(browser: &Path, page: &Path, screen: Screen) -> Result<Self> {
        Self::visit(browser, &format!("file://{}", page.display()), screen)
    }

    /// The same of an address.
    ///
    /// # Errors
    /// As [`Browser::open`].
    pub fn visit(browser: &Path, url: &str, screen: Screen) -> Result<Self> {
        let mut it = Self::start(browser)?;
        let target = it.ask("Target.createTarget", &json!({"url": "about:blank"}))?;
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let session = it.ask("Target.attachToTarget", &attach)?;
        it.session = session["sessionId"].as_str().map(str::to_owned);
        for domain in ["Page", "Runtime", "Log", "Network"] {
            it.ask(&format!("{domain}.enable"), &json!({}))?;
        }
        let scheme = if screen.dark { "dark" } else { "light" };
        let media = json!([{"name": "prefers-color-scheme", "value": scheme}]);
        it.ask("Emulation.setEmulatedMedia", &json!({"features": media}))?;
        let (width, height) = (screen.width, screen.height);
        it.ask(
            "Emulation.setDeviceMetricsOverride",
            &json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false}),
        )?;
        it.events.clear();
        let shown = it.ask("Page.navigate", &json!({"url": url}))?;
        ensure!(shown.get("errorText").is_none(), "the page cannot be shown: {shown}");
        while !it.events.iter().any(|event| event["method"] == "Page.loadEventFired") {
            let event = it.answers.recv_timeout(SILENCE).context("the page does not load")?;
            it.events.push(event);
        }
        Ok(it)
    }

    fn start(browser: &Path) -> Result<Self> {
        static STARTED: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
        let number = STARTED.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        let name = format!("leak-agent-browser-{}-{number}", std::process::id());
        let profile = env::temp_dir().join(name);
        fs::create_dir_all(&profile)?;
        // It reads requests from descriptor 3 and writes to descriptor 4.
        let mut command = Command::new("sh");
        command.args(["-c", "exec \"$@\" 3<&0 4>&1 </dev/null >/dev/null", "browser"]);
        command.arg(browser).args([
            "--remote-debugging-pipe",
            "--headless",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            // Its sandbox refuses to be root, as tests often are. It is shown our own page only.
            "--no-sandbox",
        ]);
        command.arg(format!("--user-data-dir={}", profile.display()));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child =
            command.spawn().with_context(|| format!("cannot start {}", browser.display()))?;
        let requests = child.stdin.take().context("the browser has no input")?;
        let output = child.stdout.take().context("the browser has no output")?;
        let (sender, answers) = mpsc::channel();
        thread::spawn(move || {
            for message in BufReader::new(output).split(0).map_while(Result::ok) {
                let Ok(message) = serde_json::from_slice(&message) else { continue };
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        Ok(Self { child, requests, answers, session: None, asked: 0, events: Vec::new(), profile })
    }

    /// Asks the browser, and keeps the events that come before its answer.
    fn ask(&mut self, method: &str, params: &Value) -> Result<Value> {
        self.asked += 1;
        let mut request = json!({"id": self.asked, "method": method, "params": params});
        if let Some(session) = &self.session {
            request["sessionId"] = json!(session);
        }
        self.requests.write_all(format!("{request}\0").as_bytes())?;
        self.requests.flush()?;
        loop {
            let answer = self
                .answers
                .recv_timeout(SILENCE)
                .with_context(|| format!("the browser does not answer to {method}"))?;
            if answer["id"] == self.asked {
                ensure!(answer.get("error").is_none(), "{method}: {}", answer["error"]);
                return Ok(answer["result"].clone());
            }
            self.events.push(answer);
        }
    }

    /// Asks again and again until an expression is true.
    ///
    /// # Errors
    /// When it throws, or is not true after a minute and a half.
    pub fn until(&mut self, expression: &str) -> Result<()> {
        let due = Instant::now() + SILENCE;
        while self.evaluate(expression)? != true {
            ensure!(Instant::now() < due, "it never comes to be: {expression}");
            thread::sleep(Duration::from_millis(100));
        }
        Ok(())
    }

    /// Presses a key, as its character, or `Enter` or `ArrowUp`.
    ///
    /// # Errors
    /// When the browser does not take it.
    pub fn press(&mut self, key: &str) -> Result<()> {
        let (code, text) = match key {
            "Enter" => (13, "\r"),
            "ArrowUp" => (38, ""),
            _ => (0, key),
        };
        for kind in ["keyDown", "keyUp"] {
            let mut event = json!({"type": kind, "key": key, "text": text});
            if code > 0 {
                event["windowsVirtualKeyCode"] = code.into();
            }
            self.ask("Input.dispatchKeyEvent", &event)?;
        }
        Ok(())
    }

    /// What a JavaScript expression comes to on the page.
    ///
    /// # Errors
    /// When it throws.
    pub fn evaluate(&mut self, expression: &str) -> Result<Value> {
        let params = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let result = self.ask("Runtime.evaluate", &params)?;
        if let Some(thrown) = result.get("exceptionDetails") {
            bail!("{expression}: {thrown}");
        }
        Ok(result["result"]["value"].clone())
    }

    /// How large the page is as a PDF, in bytes of base64.
    ///
    /// # Errors
    /// When it cannot be printed.
    pub fn print(&mut self) -> Result<usize> {
        let printed = self.ask("Page.printToPDF", &json!({"printBackground": true}))?;
        let data = printed["data"].as_str().context("nothing was printed")?;
        // "%PDF-", as base64 spells it.
        ensure!(data.starts_with("JVBERi"), "that is no PDF: {:.20}", data);
        Ok(data.len())
    }

    /// All that the page put on the console, every exception, and every request beside that for the
    /// page itself.
    #[must_use]
    pub fn complaints(&self) -> Vec<String> {
        let pages = |event: &&Value| event["method"] == "Network.requestWillBeSent";
        let first = self.events.iter().find(pages);
        let beside = |event: &&Value| match event["method"].as_str().unwrap_or_default() {
            "Runtime.consoleAPICalled" | "Runtime.exceptionThrown" | "Log.entryAdded" => true,
            "Network.requestWillBeSent" => Some(*event) != first,
            _ => false,
        };
        self.events.iter().filter(beside).map(Value::to_string).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        // Its children end with it. Errors mean that it is gone already.
        let _ = self.ask("Browser.close", &json!({}));
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.profile);
    }
}
