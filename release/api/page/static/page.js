// Keeps the page current: asks for it again every two seconds and takes over what differs.
"use strict";

const EVERY = 2000;
const PATIENCE = 5000;
const main = document.querySelector("main");
const live = document.getElementById("live");
const hold = document.getElementById("hold");
let tag = "";
let answered = new Date();
let timer = 0;
let query = "";

const clock = (date) => date.toLocaleTimeString([], { hour12: false });

function say(text, state) {
  if (live.textContent !== text) live.textContent = text;
  document.documentElement.dataset.live = state;
}

function age(date) {
  const seconds = Math.max(0, (Date.now() - date) / 1000);
  const [size, unit] = seconds < 60 ? [1, "s"] : seconds < 3600 ? [60, "min"] : seconds < 172800 ? [3600, "h"] : [86400, "days"];
  const count = Math.floor(seconds / size);
  return unit === "s" && count < 10 ? "just now" : `${count} ${unit} ago`;
}

const FORMS = { age, clock, stamp: (date) => `${date.toLocaleDateString()} ${clock(date)}` };

function tellTimes(root) {
  for (const each of root.querySelectorAll("time")) {
    const date = new Date(each.dateTime);
    each.title ||= each.textContent;
    const text = FORMS[each.dataset.form](date);
    if (each.textContent !== text) each.textContent = text;
  }
}

function filter(root) {
  const form = root.querySelector("#filter");
  if (!form) return;
  form.hidden = false;
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const fits = (text) => words.every((word) => text.toLowerCase().includes(word));
  let shown = 0;
  const every = [...root.querySelectorAll("[data-filter]")];
  for (const each of every) {
    const group = each.closest(".group");
    const about = group ? group.querySelectorAll(":scope > h3, :scope > p") : [];
    each.hidden = !fits([each, ...about].map((part) => part.textContent).join(" "));
    if (!each.hidden) shown += 1;
  }
  for (const group of root.querySelectorAll(".group")) {
    group.hidden = !group.querySelector("[data-filter]:not([hidden])");
    const names = group.querySelector("details");
    if (words.length && names) names.open = true;
  }
  root.querySelector("#found").textContent = words.length ? `${shown} of ${every.length}` : "";
}

// Makes `old` look like `next` and keeps what is the same: focus, selection, scrolling and open details survive.
function morph(old, next) {
  if (old.isEqualNode(next)) return;
  if (old.nodeType !== Node.ELEMENT_NODE) {
    old.data = next.data;
    return;
  }
  for (const { name } of [...old.attributes]) if (!next.hasAttribute(name)) old.removeAttribute(name);
  for (const { name, value } of next.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  const named = new Map([...old.children].filter((child) => child.id).map((child) => [child.id, child]));
  let at = old.firstChild;
  for (const wanted of [...next.childNodes]) {
    const same = wanted.id ? named.get(wanted.id) : at && !at.id && at.nodeName === wanted.nodeName && at;
    if (!same) {
      old.insertBefore(wanted, at);
      continue;
    }
    if (same === at) at = at.nextSibling;
    else old.insertBefore(same, at);
    morph(same, wanted);
  }
  while (at) {
    const gone = at;
    at = at.nextSibling;
    gone.remove();
  }
}

function take(text) {
  const page = new DOMParser().parseFromString(text, "text/html");
  const next = page.querySelector("main");
  for (const each of next.querySelectorAll("details[id]")) each.open = Boolean(document.getElementById(each.id)?.open);
  tellTimes(next);
  filter(next);
  const focused = document.activeElement;
  morph(main, next);
  if (focused.isConnected && focused !== document.activeElement) focused.focus({ preventScroll: true });
  document.title = page.title;
}

async function look() {
  clearTimeout(timer);
  try {
    const headers = tag ? { "If-None-Match": tag } : {};
    const answer = await fetch(location.pathname, { headers, cache: "no-store", signal: AbortSignal.timeout(PATIENCE) });
    if (answer.status === 200 || answer.status === 404) {
      take(await answer.text());
      tag = answer.headers.get("ETag") ?? "";
    } else if (answer.status !== 304) {
      throw new Error(`answered ${answer.status}`);
    }
    answered = new Date();
    say("Live", "on");
  } catch {
    say(`The controller does not answer. What you see is of ${clock(answered)}.`, "lost");
  }
  tellTimes(main);
  follow();
}

function follow() {
  clearTimeout(timer);
  if (document.hidden) return;
  if (hold.getAttribute("aria-pressed") === "true") say(`Paused at ${clock(answered)}`, "held");
  else timer = setTimeout(look, EVERY);
}

hold.hidden = false;
hold.addEventListener("click", () => {
  const held = hold.getAttribute("aria-pressed") !== "true";
  hold.setAttribute("aria-pressed", String(held));
  if (held) follow();
  else look();
});
document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : hold.getAttribute("aria-pressed") === "true" || look()));
document.addEventListener("input", (event) => {
  if (event.target.id !== "query") return;
  query = event.target.value;
  if (!query) for (const each of main.querySelectorAll("details")) each.open = false;
  filter(main);
});
document.addEventListener("submit", (event) => event.preventDefault());
tellTimes(main);
filter(main);
look();
