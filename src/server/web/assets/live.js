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
