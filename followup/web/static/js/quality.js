/* The score sheet adds itself up while it is filled in. Without it the server does, when it is saved. */
"use strict";

(() => {
  for (const form of document.querySelectorAll("form.score-sheet")) {
    const sum = form.querySelector("[data-sum]");
    const scores = [...form.querySelectorAll("input[name^=score_]")];
    const add = () => {
      const given = scores.filter((field) => field.value !== "" && field.validity.valid);
      sum.textContent = given.length ? given.reduce((total, field) => total + Number(field.value), 0) : "—";
    };
    form.addEventListener("input", add);
    add();
  }
})();
