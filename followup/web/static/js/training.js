/* Keys of the trainers' desk: 1-9 for the intents, 0, n, w for the rest, / to search, e to edit. Words that are selected, with
   the mouse or with Shift and the arrows, go to the line's field for marking. Without it: by clicks and by typing. */
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

  // What is selected of a line's wording, or of the line in its talk.
  const put = (article, words) => {
    const details = article?.querySelector("[data-words]");
    if (!details || words.length < 2) return;
    details.open = true;
    details.querySelector("[name=words]").value = words;
  };
  const ofField = (field) => {
    if (!field.matches?.("[name^=text_]")) return;
    put(field.closest(".wording"), field.value.slice(field.selectionStart, field.selectionEnd).trim());
  };
  document.addEventListener("mouseup", () => ofField(document.activeElement));
  document.addEventListener("keyup", (event) => {
    if (event.key === "Shift" || /^(Arrow|Home|End)/.test(event.key)) ofField(event.target);
  });
  document.addEventListener("selectionchange", () => {
    const chosen = document.getSelection();
    const said = chosen.anchorNode?.parentElement?.closest("[data-said]");
    if (said && said.contains(chosen.focusNode)) put(said.closest(".wording"), chosen.toString().trim());
  });

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
      if (event.key === "Enter" && event.target.matches("[data-other]") && event.target.value.trim()) {
        event.preventDefault();
        event.target.closest(".meanings").querySelector("[data-keep]").click();
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
