/* The board: cards are dragged from column to column. Without this the cards' own buttons do the same.
   On a ticket's page: a form that an address points to is ready to be written in. */
"use strict";

(() => {
  document.documentElement.classList.add("js");

  const send = (card, to) => {
    const board = document.getElementById("found");
    const { id, seen } = card.dataset;
    // The answer is the whole board as it now is, also when somebody else was faster.
    htmx.ajax("POST", `/console/tickets/${id}/move${board.dataset.query}`, {
      source: board, target: "#found", select: "#found", swap: "outerHTML", values: { to, seen },
    });
  };

  const prepare = () => {
    if (typeof Sortable === "undefined") return;
    for (const list of document.querySelectorAll("[data-sortable]")) {
      if (Sortable.get(list)) continue;
      Sortable.create(list, {
        group: "tickets",
        sort: false,
        draggable: ".ticket",
        filter: "a, button, input",
        preventOnFilter: false,
        delay: 180,
        delayOnTouchOnly: true,
        ghostClass: "dragged",
        onEnd: ({ item, from, to }) => {
          if (from !== to) send(item, to.dataset.status);
        },
      });
    }
  };

  // "Somebody was faster" and "not like this" come with the board's present state: show it.
  document.addEventListener("htmx:beforeSwap", (event) => {
    if ([400, 409].includes(event.detail.xhr.status)) {
      event.detail.shouldSwap = true;
      event.detail.isError = false;
    }
  });
  // Nothing came back: the card stands where nobody has put it. Show what is really so.
  for (const failed of ["htmx:sendError", "htmx:responseError"]) {
    document.addEventListener(failed, (event) => {
      if (event.detail.requestConfig.verb === "post") setTimeout(() => location.reload(), 1500);
    });
  }
  document.addEventListener("htmx:afterSettle", prepare);
  prepare();

  const place = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  if (place instanceof HTMLDetailsElement) place.querySelector("textarea, input:not([type=hidden]), select")?.focus();
})();
