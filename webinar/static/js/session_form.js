// The form of a session: asks before what was typed is left behind. Without this file it works too.

for (const form of document.querySelectorAll("form[data-unsaved]")) {
  let isChanged = form.dataset.unsaved === "changed" || document.querySelector(".errors") !== null;
  form.addEventListener("input", () => { isChanged = true; });
  form.addEventListener("submit", () => { isChanged = false; });
  addEventListener("beforeunload", (event) => {
    if (isChanged) event.preventDefault();
  });
}
