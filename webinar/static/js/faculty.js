// Each part of the page saves by itself: what is typed in the others stays where it is.
// Without this file every form is an ordinary one, and the page comes back as a whole.

const MEGABYTE = 1024 * 1024;

async function save(event) {
  const form = event.target.closest("form[data-part]");
  if (!form || event.defaultPrevented) return;
  event.preventDefault();
  const section = form.closest("[data-swap]");
  const file = form.querySelector('input[type="file"]')?.files[0];
  if (file && file.size > Number(form.dataset.largest) * MEGABYTE) {
    say(section, `This file has ${Math.ceil(file.size / MEGABYTE)} MB; up to ${form.dataset.largest} MB are taken.`);
    return;
  }
  const data = new FormData(form, event.submitter);
  const body = form.enctype === "multipart/form-data" ? data : new URLSearchParams(data);
  const buttons = [...section.querySelectorAll("button")];
  for (const button of buttons) button.disabled = true;
  say(section, file ? "Sending… Keep this page open." : "Saving…");
  try {
    const answer = await fetch(form.action, { method: "POST", body });
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (!fresh.getElementById(section.id)) throw new Error(fresh.querySelector("h1")?.textContent);
    swap(fresh, section.id);
  } catch {
    for (const button of buttons) button.disabled = false;
    say(section, "That did not arrive. Nothing you typed is lost: try again in a moment.");
  }
}

function swap(fresh, name) {
  for (const id of new Set([name, "missing"])) {
    const old = document.getElementById(id);
    const next = document.adoptNode(fresh.getElementById(id));
    old.replaceWith(next);
  }
  const section = document.getElementById(name);
  const errors = section.querySelector("[data-focus]");
  if (errors) errors.focus();
  else section.scrollIntoView({ block: "nearest" });
}

function say(section, words) {
  const line = section.querySelector('[role="status"]');
  line.classList.add("saving");
  line.textContent = words;
}

document.addEventListener("submit", save, { capture: true });
