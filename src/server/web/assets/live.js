// Pages that turn by themselves: what htmx tells of their streams.
"use strict";

// The session is over: the page is loaded anew, which asks to sign in and leads back here.
document.addEventListener("ended", () => window.location.reload());

document.addEventListener("htmx:sse:error", (event) => {
  if (event.detail.status === 401) {
    window.location.reload();
    return;
  }
  tellAway(true);
});
document.addEventListener("htmx:sse:after:connection", () => tellAway(false));

// htmx tries a stream again that was open once. One that never was is asked for again here.
document.addEventListener("htmx:error", (event) => reopen(event.target));
document.addEventListener("htmx:response:error", (event) => {
  if (event.detail.ctx.response.status === 401) {
    window.location.reload();
    return;
  }
  reopen(event.target);
});

function reopen(live) {
  if (live.id === "live") setTimeout(() => htmx.trigger(live, "reopen"), 2000);
}
