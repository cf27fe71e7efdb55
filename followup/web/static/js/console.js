/* What every page of the console shares: filters without empty parts in the address, and keys for next and previous.
   Everything works without it, only with more clicks. */
"use strict";

(() => {
  const empty = (value) => value === "" || value === null;

  // htmx: leave out what is empty, so that addresses stay short enough to pass on.
  document.addEventListener("htmx:configRequest", (event) => {
    const { verb, parameters, elt } = event.detail;
    if (verb !== "get" || !elt.matches("form[data-filters]")) return;
    for (const name of Object.keys(parameters)) if (empty(parameters[name])) delete parameters[name];
  });

  // The same for a plain submit.
  document.addEventListener("submit", (event) => {
    if (!event.target.matches("form[data-filters]") || event.target.hasAttribute("hx-get")) return;
    for (const field of event.target.elements) if (field.name && empty(field.value)) field.disabled = true;
  });

  // A form that failed to load says so; otherwise the page would just stand still.
  document.addEventListener("htmx:sendError", () => document.body.toggleAttribute("data-offline", true));
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.detail.successful) document.body.removeAttribute("data-offline");
  });

  // j, → and k, ←: the links marked with data-key="next" and data-key="previous".
  const KEYS = { j: "next", ArrowRight: "next", k: "previous", ArrowLeft: "previous" };
  const writing = (element) => element.closest("input, select, textarea, [contenteditable], [role=dialog]");
  document.addEventListener("keydown", (event) => {
    if (event.altKey || event.ctrlKey || event.metaKey || event.shiftKey || event.isComposing) return;
    const which = KEYS[event.key];
    if (!which || writing(event.target)) return;
    const link = document.querySelector(`a[data-key="${which}"]`);
    if (!link) return;
    event.preventDefault();
    link.click();
  });

  // A button that asks for printing.
  document.addEventListener("click", (event) => {
    if (event.target.closest("[data-print]")) window.print();
  });

  // The form that an address points into stands open: #answer-12 opens the correction of answer 12.
  const openTarget = () => {
    const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
    if (target instanceof HTMLDetailsElement) target.open = true;
  };
  window.addEventListener("hashchange", openTarget);
  openTarget();
})();
