// Small things every page may use; each works as plain HTML without this file.

const MINUTE = 60_000;

// "in 3 h 12 min" counts on. Only the distance is computed, from the server's own clock at the
// time of rendering: the clock of this machine may be wrong.
function words(milliseconds) {
  const minutes = Math.floor(Math.abs(milliseconds) / MINUTE);
  if (minutes < 1) return "now";
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  let distance = `${minutes} min`;
  if (days >= 60) distance = count(Math.floor(days / 30), "month");
  else if (days >= 14) distance = count(Math.floor(days / 7), "week");
  else if (days >= 1) distance = count(days, "day");
  else if (hours >= 1) distance = minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  return milliseconds > 0 ? `in ${distance}` : `${distance} ago`;
}

function count(number, noun) {
  return `${number} ${noun}${number === 1 ? "" : "s"}`;
}

function tick() {
  for (const element of document.querySelectorAll("[data-countdown]")) {
    const atRendering = Date.parse(element.dataset.countdown) - Date.parse(element.dataset.now);
    const text = words(atRendering - performance.now());
    if (element.textContent !== text) element.textContent = text;
  }
}

// Tell the server once in which zone this browser lives, then fetch the page's times again.
async function tellZone() {
  const page = document.documentElement;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if ("signedIn" in page.dataset || !zone || zone === page.dataset.zone) return;
  if (sessionStorage.getItem("zone-told") === zone) return;
  sessionStorage.setItem("zone-told", zone);
  const token = document.querySelector('meta[name="csrf-token"]')?.content ?? "";
  const answer = await fetch("/zone", {
    method: "POST",
    headers: { "X-CSRFToken": token },
    // Also from pages that say nothing of themselves: the guard asks over TLS for the origin.
    referrerPolicy: "origin",
    body: new URLSearchParams({ zone }),
  });
  const shown = document.querySelectorAll("[data-when]");
  if (!answer.ok || shown.length === 0) return;
  const again = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!again.ok) return;
  const fresh = new DOMParser().parseFromString(await again.text(), "text/html");
  const times = fresh.querySelectorAll("[data-when]");
  if (times.length !== shown.length) return;
  shown.forEach((element, index) => element.replaceWith(document.adoptNode(times[index])));
}

// A menu closes when one clicks beside it or presses Escape.
function closeMenus(event) {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (event.type === "keydown" && event.key !== "Escape") continue;
    if (event.type === "click" && menu.contains(event.target)) continue;
    menu.open = false;
    if (event.type === "keydown") menu.querySelector("summary").focus();
  }
}

// A form that is on its way is not sent twice. It can be again after five seconds, or "back".
function markSent(event) {
  const form = event.target;
  if (event.defaultPrevented || form.method !== "post") return;
  if ("sent" in form.dataset) event.preventDefault();
  form.dataset.sent = "";
  setTimeout(() => delete form.dataset.sent, 5_000);
}

// <button data-copy="#id-of-input">Copy</button>
async function copy(event) {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const source = document.querySelector(button.dataset.copy);
  await navigator.clipboard.writeText(source.value ?? source.textContent);
  button.textContent = "Copied";
}

document.addEventListener("click", closeMenus);
document.addEventListener("keydown", closeMenus);
document.addEventListener("submit", markSent);
document.addEventListener("click", copy);
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});
document.querySelector("[data-focus]")?.focus();
setInterval(tick, 15_000);
tellZone().catch(() => {});
