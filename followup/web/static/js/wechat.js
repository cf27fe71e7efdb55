/* WeChat: copying what goes to the back office, making up tokens, and the menu, whose entries are dragged or moved by keys.
   Without it the forms do the same with the server's help. */
"use strict";

(() => {
  document.documentElement.classList.add("js");

  // —— copying and making up ——

  const LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
  const madeUp = (length) => {
    // Bytes beyond the last whole round of 62 are thrown away, so that no letter is likelier than another.
    let text = "";
    while (text.length < length) {
      for (const byte of crypto.getRandomValues(new Uint8Array(length))) {
        if (byte < 248 && text.length < length) text += LETTERS[byte % 62];
      }
    }
    return text;
  };

  const copy = async (element) => {
    try {
      await navigator.clipboard.writeText(element.textContent);
      return true;
    } catch {
      getSelection().selectAllChildren(element);  // no right to the clipboard (no HTTPS): the key combination does it
      return false;
    }
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (button) {
      const done = await copy(document.getElementById(button.dataset.copy));
      button.textContent = done ? "已复制" : "请按 Ctrl+C";
      document.getElementById("copied").textContent = done ? "已复制" : "已选中，请按 Ctrl+C 复制";
      setTimeout(() => { button.textContent = "复制"; }, 2000);
      return;
    }
    const maker = event.target.closest("[data-make]");
    if (maker) {
      event.preventDefault();
      const field = document.getElementById(maker.dataset.into);
      field.value = madeUp(Number(maker.dataset.make));
      field.focus();
      field.select();
    }
  });

  document.addEventListener("submit", (event) => {
    const button = event.target.querySelector("[data-busy]");
    if (!button) return;
    button.textContent = button.dataset.busy;
    button.disabled = true;
  });

  // —— the menu ——

  const form = document.getElementById("menu");
  if (!form) return;
  const mostTops = Number(form.dataset.most);
  const mostBelow = Number(form.dataset.mostBelow);
  const moved = document.getElementById("moved");
  const real = (list) => [...list.children];
  const tops = form.querySelector('[data-sort="tops"]');

  // Spare lines are for who has no JavaScript.
  form.querySelectorAll(".spare").forEach((one) => one.remove());
  const blank = (id) => document.getElementById(id).content.firstElementChild.cloneNode(true);

  const limits = () => {
    form.querySelector('[data-add="tops"]').hidden = real(tops).length >= mostTops;
    for (const button of form.querySelectorAll('[data-add="below"]')) {
      button.hidden = real(button.closest(".top-entry").querySelector(".below")).length >= mostBelow;
    }
  };

  let timer = null;
  const changed = () => {
    limits();
    document.getElementById("dirty").hidden = false;
    for (const button of document.querySelectorAll("#publish button")) {
      button.disabled = true;
      button.textContent = "先保存草稿，再发布";
    }
    clearTimeout(timer);
    timer = setTimeout(renew, 350);
  };

  const renew = async () => {
    try {
      const answer = await fetch(form.dataset.preview, { method: "POST", body: new URLSearchParams(new FormData(form)), redirect: "manual" });
      if (!answer.ok) return;
      const holder = document.createElement("template");
      holder.innerHTML = (await answer.text()).trim();
      document.getElementById("preview").replaceWith(holder.content.firstElementChild);
    } catch {
      // The next change tries again; saving shows what is so in any case.
    }
  };

  const told = (item) => {
    const name = item.querySelector('[name="entry"]').value || "这一项";
    const place = [...item.parentElement.children].indexOf(item) + 1;
    moved.textContent = `${name}，现在是第 ${place} 项，共 ${item.parentElement.children.length} 项`;
  };

  const move = (item, by) => {
    const other = by < 0 ? item.previousElementSibling : item.nextElementSibling;
    if (other) other[by < 0 ? "before" : "after"](item);
    told(item);
    changed();
  };

  const prepare = () => {
    if (typeof Sortable === "undefined") return;
    const common = { handle: ".grip", ghostClass: "dragged", animation: 120, onEnd: ({ item }) => { told(item); changed(); } };
    if (!Sortable.get(tops)) Sortable.create(tops, { ...common, group: "tops" });
    for (const list of form.querySelectorAll('[data-sort="below"]')) {
      if (Sortable.get(list)) continue;
      Sortable.create(list, { ...common, group: { name: "below", put: (to) => to.el.children.length < mostBelow } });
    }
  };

  form.addEventListener("click", (event) => {
    const item = event.target.closest("li");
    const mover = event.target.closest("[data-move]");
    if (mover) {
      event.preventDefault();
      move(item, Number(mover.dataset.move));
      mover.focus();
    } else if (event.target.closest("[data-remove]")) {
      const next = item.nextElementSibling ?? item.previousElementSibling ?? form.querySelector('[data-add="tops"]');
      item.remove();
      changed();
      (next.querySelector?.("input:not([type=hidden])") ?? next).focus();
    } else if (event.target.closest("[data-add]")) {
      const below = event.target.closest('[data-add="below"]');
      const made = blank(below ? "blank-below" : "blank-top");
      (below ? below.closest(".top-entry").querySelector(".below") : tops).append(made);
      made.querySelector('[name="entry"]').focus();
      prepare();
      changed();
    }
  });
  // Alt and an arrow move the line that is being written in.
  form.addEventListener("keydown", (event) => {
    if (!event.altKey || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
    const item = event.target.closest("li");
    if (!item) return;
    event.preventDefault();
    const focused = document.activeElement;
    move(item, event.key === "ArrowUp" ? -1 : 1);
    focused.focus();
  });
  form.addEventListener("input", changed);
  prepare();
  limits();
})();
