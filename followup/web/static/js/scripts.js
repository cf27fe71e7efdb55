/* The editor of scripts: line numbers, jumping to a line, what is not saved yet. Without it the page still saves and checks. */
"use strict";

(() => {
  document.documentElement.classList.add("js");
  const LINE = 20; // px, as in console-scripts.css
  const text = () => document.getElementById("text");

  const number = () => {
    const field = text();
    const numbers = document.querySelector(".editor .numbers");
    if (!field || !numbers) return;
    const lines = field.value.split("\n").length;
    field.rows = lines + 1;
    if (numbers.dataset.lines === String(lines)) return;
    numbers.dataset.lines = String(lines);
    numbers.textContent = Array.from({ length: lines }, (_, at) => at + 1).join("\n");
  };

  let dirty = false;
  const changed = () => {
    dirty = true;
    document.getElementById("dirty")?.removeAttribute("hidden");
  };

  document.addEventListener("input", (event) => {
    if (event.target.id === "text") number();
    if (event.target.form?.id === "draft") changed();
  });

  // To the line that a finding, or a sentence of the form, speaks about.
  const jump = (line, focus) => {
    const field = text();
    if (!field) return;
    const lines = field.value.split("\n");
    const begin = lines.slice(0, line - 1).join("\n").length + (line > 1 ? 1 : 0);
    const box = field.closest(".editor");
    if (focus) {
      field.focus({ preventScroll: true });
      field.setSelectionRange(begin, begin + (lines[line - 1] ?? "").length);
      box.scrollIntoView({ block: "center" });
    }
    box.scrollTop = Math.max(0, (line - 4) * LINE);
  };
  document.addEventListener("click", (event) => {
    const button = event.target.closest("button[data-line]");
    if (button) jump(Number(button.dataset.line), true);
  });
  document.addEventListener("focusin", (event) => {
    if (event.target.matches("#fields textarea[data-line]")) jump(Number(event.target.dataset.line), false);
  });

  // What was unfolded stays so when the part is sent anew.
  let open = new Map();
  document.addEventListener("htmx:beforeSwap", () => {
    open = new Map([...document.querySelectorAll("#checked details[id]")].map((one) => [one.id, one.open]));
  });
  document.addEventListener("htmx:afterSettle", () => {
    for (const [id, was] of open) {
      const details = document.getElementById(id);
      if (details) details.open = was;
    }
    number();
    const lines = document.querySelector("#chat .lines");
    if (lines) lines.scrollTop = lines.scrollHeight;
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    if (event.target.id !== "try" || !event.detail.successful) return;
    const say = event.target.querySelector("input[name=say]");
    say.value = "";
    say.focus();
  });

  document.addEventListener("submit", (event) => {
    if (event.target.id === "draft") dirty = false;
    const leaves = event.submitter?.matches("[data-leaves]");
    if (leaves && dirty && !window.confirm("有改动没有保存，确定离开吗？")) event.preventDefault();
    else if (leaves) dirty = false;
  });
  window.addEventListener("beforeunload", (event) => {
    if (dirty) event.preventDefault();
  });
  number();
  const asked = /^#line-(\d+)$/.exec(window.location.hash); // by a link from the trainers' pages
  if (asked) jump(Number(asked[1]), true);
})();
