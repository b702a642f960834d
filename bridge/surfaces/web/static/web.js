// What needs a script: the reader's own time zone, news as they come, a preview while typing.
// Without it every page works, in UTC. Pages are only ever parsed as documents, never as markup.
"use strict";

// The reader's own habits of the language that the page is in: day and month in their order.
const language = document.documentElement.lang;
const habits = navigator.languages.find((each) => each.split("-")[0] === language) ?? language;
const whole = new Intl.DateTimeFormat(habits, { dateStyle: "medium", timeStyle: "short" });
const short = new Intl.DateTimeFormat(habits, { timeStyle: "short" });
const date = new Intl.DateTimeFormat(habits, { dateStyle: "medium", timeZone: "UTC" });

function localise(root) {
  for (const node of root.querySelectorAll("time[datetime]")) {
    const at = new Date(node.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    const today = at.toDateString() === new Date().toDateString();
    node.title = node.dateTime;
    node.dir = "auto";
    node.textContent = (!node.dateTime.includes("T") ? date : today ? short : whole).format(at);
  }
}

function fetchPage(method, address, body) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, address);
    request.responseType = "document";
    if (body) request.setRequestHeader("Content-Type", "application/json");
    request.onload = () => (request.response ? resolve(request.response) : reject(new Error("no page")));
    request.onerror = reject;
    request.send(body);
  });
}

function take(from, selector) {
  const found = from.querySelector(selector);
  if (!found) return null;
  const node = document.adoptNode(found);
  localise(node);
  return node;
}

// Somebody is in the middle of it: it must not change under their hands.
function inUse(region) {
  const held = region.contains(document.activeElement) && !document.activeElement.matches("a[href]");
  return held || [...region.querySelectorAll("input:not([type=hidden])")].some((input) => input.value);
}

let looking = false;
let again = false;
async function refresh() {
  if (looking) {
    again = true;
    return;
  }
  looking = true;
  try {
    const page = await fetchPage("GET", location.href);
    for (const region of document.querySelectorAll("[data-live]")) {
      if (inUse(region)) continue;
      const open = [...region.querySelectorAll("details[open][id]")].map((node) => node.id);
      const fresh = take(page, `[data-live="${region.dataset.live}"]`);
      if (!fresh) continue;
      if (fresh.textContent === region.textContent) continue;
      for (const id of open) fresh.querySelector(`#${CSS.escape(id)}`)?.setAttribute("open", "");
      const link = region.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
      region.replaceWith(fresh);
      if (link !== null) fresh.querySelector(`a[href="${CSS.escape(link)}"]`)?.focus({ preventScroll: true });
    }
    const note = document.getElementById("fresh");
    if (note && document.querySelector("[data-live]")) note.textContent = note.dataset.words;
  } catch {
    // The stream says when the daemon is gone.
  } finally {
    looking = false;
    if (again) {
      again = false;
      refresh();
    }
  }
}

// A browser opens about six connections to one host, for all its tabs together: only a tab that is
// looked at keeps one. The address says what the page shows, so that what changed since is told.
function listen(address) {
  const offline = document.getElementById("offline");
  let events = null;
  let lost = false;
  const stop = () => {
    events?.close();
    events = null;
  };
  const follow = () => {
    stop();
    if (document.hidden) return;
    events = new EventSource(address);
    events.onopen = () => {
      offline.hidden = true;
      if (lost) refresh();
      lost = false;
    };
    events.onerror = () => {
      lost = true;
      offline.hidden = false;
    };
    events.onmessage = refresh;
  };
  document.addEventListener("visibilitychange", follow);
  addEventListener("pagehide", stop);
  follow();
}

function previewAsTyped(form) {
  let due = 0;
  let asked = 0;
  form.addEventListener("input", () => {
    clearTimeout(due);
    due = setTimeout(async () => {
      const number = ++asked;
      const result = document.getElementById("preview-result");
      result.setAttribute("aria-busy", "true");
      try {
        const body = JSON.stringify(Object.fromEntries(new FormData(form)));
        const page = await fetchPage("POST", form.action, body);
        const fresh = number === asked ? take(page, "#preview-result") : null;
        if (fresh) result.replaceChildren(...fresh.childNodes);
      } catch {
        document.getElementById("offline").hidden = false;
      } finally {
        if (number === asked) result.removeAttribute("aria-busy");
      }
    }, 250);
  });
}

localise(document);
if (document.body.dataset.events && document.querySelector("[data-live]")) listen(document.body.dataset.events);
const compose = document.getElementById("compose");
if (compose) previewAsTyped(compose);
