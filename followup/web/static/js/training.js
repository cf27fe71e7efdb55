/* Keys of the trainers' desk: 1-9 for the intents, 0, n, w for the rest, / to search, e to edit. Without it: by clicks. */
"use strict";

(() => {
  const desk = document.querySelector("form[data-desk]");
  if (!desk) return;

  const writing = (element) => element.closest("input:not([type=checkbox]), select, textarea, [contenteditable]");
  let sent = false;
  desk.addEventListener("submit", (event) => {
    if (sent) event.preventDefault();
    sent = true;
  });
  window.addEventListener("pageshow", () => { sent = false; });

  const search = desk.querySelector("[data-search]");
  const focus = (field) => { field.focus(); field.select(); };
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.isComposing) return;
    if (writing(event.target)) {
      if (event.key === "Escape") event.target.blur();
      if (event.key === "Enter" && event.target === search && search.value.trim()) {
        event.preventDefault();
        desk.querySelector("[data-use]").click();
      }
      return;
    }
    if (event.shiftKey) return;
    if (event.key === "/" && search) focus(search);
    else if (event.key === "e") focus(desk.querySelector("[name^=text_]"));
    else {
      const button = /^[0-9nw]$/.test(event.key) && desk.querySelector(`[data-digit="${event.key}"]`);
      if (!button) return;
      button.click();
    }
    event.preventDefault();
  });
})();
