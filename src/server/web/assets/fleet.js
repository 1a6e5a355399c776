// What pages do by themselves beside htmx. Nothing here is needed to use them.
"use strict";

// The server is away, or here again: what is asked for time and again tells.
document.addEventListener("htmx:error", () => tellAway(true));
document.addEventListener("htmx:response:error", (event) => {
  tellAway(event.detail.ctx.response.status >= 500);
});
document.addEventListener("htmx:after:swap", () => tellAway(false));

function tellAway(isAway) {
  const notice = document.getElementById("away");
  if (notice && notice.hidden === isAway) notice.hidden = !isAway;
}

// A form is sent once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  form.dataset.sent = "yes";
});
// A page that comes back from the history is asked for anew: its session may have ended since.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) window.location.reload();
});

// <button data-copy="id of what is copied" data-copied="what to say then">
document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  const source = document.getElementById(button.dataset.copy);
  const text = source.value ?? source.textContent;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Without TLS there is no clipboard but that of what is selected.
    const range = document.createRange();
    range.selectNodeContents(source);
    const selection = window.getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
    document.execCommand("copy");
  }
  const said = document.getElementById(button.dataset.copied);
  if (said) said.hidden = false;
});
