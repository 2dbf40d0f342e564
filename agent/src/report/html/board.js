// Keeps the page as the agent sees the processes: what changed is fetched and put in place of what was there.
"use strict";
const main = document.querySelector("main");
const live = document.querySelector(".live");
const pause = document.querySelector("#pause");
const filter = document.querySelector("#filter");
const REST_MS = 2000;
let isPaused = false;
let isBusy = false;
let isStale = false;

const say = (text, isLost) => {
  live.textContent = text;
  live.classList.toggle("lost", isLost);
};

// What a reader has unfolded stays so: it is known by where it is and what it says without its numbers.
const nameOf = (details) => {
  const within = details.closest("section, article");
  const text = details.querySelector("summary").textContent.replace(/[0-9.,]+/g, "#");
  return (within ? within.id : "") + "|" + text;
};

const applyFilter = () => {
  const words = filter.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const row of main.querySelectorAll("table.groups > tbody > tr, table.index > tbody > tr, article.finding")) {
    const text = row.textContent.toLowerCase();
    row.hidden = !words.every((word) => text.includes(word));
  }
};

const put = (text) => {
  const open = new Set([...main.querySelectorAll("details[open]")].map(nameOf));
  const focused = document.activeElement;
  const focusedOn = main.contains(focused) && focused.tagName === "SUMMARY" ? nameOf(focused.parentElement) : null;
  const part = new DOMParser().parseFromString(text, "text/html");
  main.replaceChildren(...part.body.childNodes);
  for (const details of main.querySelectorAll("details")) {
    const name = nameOf(details);
    if (open.has(name)) details.open = true;
    if (name === focusedOn) details.querySelector("summary").focus({ preventScroll: true });
  }
  prepare(main);
  applyFilter();
};

const update = async () => {
  isStale = true;
  if (isBusy || isPaused || document.hidden) return;
  isBusy = true;
  isStale = false;
  try {
    const answer = await fetch(location.pathname + "?part=1", { credentials: "same-origin" });
    if (answer.ok) {
      put(await answer.text());
      say("live, " + new Date().toLocaleTimeString(), false);
    } else if (answer.status === 404) {
      say("this process is not watched any more", true);
    } else {
      say("the agent answered " + answer.status, true);
    }
  } catch {
    say("the agent does not answer", true);
  }
  setTimeout(() => {
    isBusy = false;
    if (isStale) update();
  }, REST_MS);
};

const events = new EventSource("/events");
events.addEventListener("sample", update);
events.addEventListener("open", () => say("live", false));
events.addEventListener("error", () => say("the agent does not answer: trying again", true));
document.addEventListener("visibilitychange", () => {
  if (isStale) update();
});
pause.addEventListener("click", () => {
  isPaused = !isPaused;
  pause.setAttribute("aria-pressed", String(isPaused));
  pause.textContent = isPaused ? "Go on" : "Pause";
  if (isPaused) say("paused", false);
  else update();
});
filter.addEventListener("input", applyFilter);
addEventListener("keydown", (event) => {
  const isTyped = event.target instanceof HTMLInputElement;
  if (event.key === "/" && !isTyped) {
    event.preventDefault();
    filter.focus();
  } else if (event.key === "Escape" && isTyped) {
    filter.value = "";
    applyFilter();
    filter.blur();
  }
});
