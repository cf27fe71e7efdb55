/* Live talks: the list and the talk renew themselves from the server's events; who asks for a person rings.
   Without it the pages show what was so when they were loaded, and every form works. */
"use strict";

(() => {
  const FIRST_WAIT_MS = 800;
  const LONGEST_WAIT_MS = 15000;
  const SILENCE_MS = 45000;
  const BLINK_MS = 1000;
  const RING_EVERY_MS = 4000;
  const AFTER_A_WORD_MS = 300;

  const offline = document.getElementById("offline");

  /** Server-sent events with our own reconnecting: also when the line is dead without having been closed. */
  const follow = (address, handlers) => {
    let source = null;
    let wait = FIRST_WAIT_MS;
    let heard = Date.now();
    let timer = null;
    const open = () => {
      source?.close();
      heard = Date.now();
      const mine = new EventSource(address);
      source = mine;
      mine.addEventListener("open", () => { wait = FIRST_WAIT_MS; heard = Date.now(); offline.hidden = true; });
      mine.addEventListener("ping", () => { heard = Date.now(); });
      mine.addEventListener("signed-out", () => { mine.close(); location.reload(); });
      for (const [name, handle] of Object.entries(handlers)) {
        mine.addEventListener(name, (event) => { heard = Date.now(); handle(JSON.parse(event.data)); });
      }
      mine.addEventListener("error", () => { if (source === mine) broken(); });
    };
    const broken = () => {
      source?.close();
      source = null;
      offline.hidden = false;
      clearTimeout(timer);
      timer = setTimeout(open, wait * (0.7 + Math.random() * 0.6));
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    };
    setInterval(() => { if (source && Date.now() - heard > SILENCE_MS) broken(); }, 5000);
    addEventListener("online", () => { wait = FIRST_WAIT_MS; open(); });
    addEventListener("pagehide", () => source?.close());
    open();
  };

  /** The one element that a part of a page consists of. */
  const elementOf = (html) => {
    const holder = document.createElement("template");
    holder.innerHTML = html.trim();
    return holder.content.firstElementChild;
  };

  /** Puts new HTML in, and the focus back to the element of the same id. */
  const renew = (element, html) => {
    const focused = element.contains(document.activeElement) ? document.activeElement.id : "";
    element.innerHTML = html;
    if (focused) document.getElementById(focused)?.focus();
    tellTimes();
  };

  const span = (seconds) => {
    const whole = Math.max(0, Math.round(seconds));
    if (whole < 60) return `${whole}秒`;
    if (whole < 3600) return `${Math.floor(whole / 60)}分${whole % 60}秒`;
    return `${Math.floor(whole / 3600)}小时${Math.floor((whole % 3600) / 60)}分`;
  };
  const tellTimes = () => {
    for (const time of document.querySelectorAll("time[data-since]")) {
      if (time.dataset.since) time.textContent = span((Date.now() - Date.parse(time.dataset.since)) / 1000);
    }
  };

  // —— the list and its bell ——

  const list = document.getElementById("live");
  const alertLine = document.getElementById("ring");
  const soundButton = document.getElementById("sound");
  const title = document.title;
  let ringing = [];
  let told = new Set();
  let sound = null;

  const chime = () => {
    if (!sound || sound.state !== "running") return;
    for (const [tone, after] of [[880, 0], [660, 0.22]]) {
      const note = sound.createOscillator();
      const level = sound.createGain();
      note.frequency.value = tone;
      level.gain.setValueAtTime(0.0001, sound.currentTime + after);
      level.gain.exponentialRampToValueAtTime(0.2, sound.currentTime + after + 0.02);
      level.gain.exponentialRampToValueAtTime(0.0001, sound.currentTime + after + 0.2);
      note.connect(level).connect(sound.destination);
      note.start(sound.currentTime + after);
      note.stop(sound.currentTime + after + 0.22);
    }
  };

  const ring = (now) => {
    const fresh = now.filter((one) => !told.has(one.id));
    ringing = now;
    told = new Set(now.map((one) => one.id));
    if (fresh.length) {
      alertLine.textContent = `${fresh.map((one) => one.who).join("、")}请求人工服务`;
      chime();
    } else if (!now.length) alertLine.textContent = "";
  };

  const startList = () => {
    soundButton.hidden = false;
    soundButton.addEventListener("click", async () => {
      // Browsers let a page sound only after the person has done something on it.
      if (sound) {
        await sound.close();
        sound = null;
      } else {
        sound = new AudioContext();
        await sound.resume();
        chime();
      }
      soundButton.setAttribute("aria-pressed", String(Boolean(sound)));
      soundButton.textContent = sound ? "关闭铃声" : "打开铃声";
    });
    let shown = false;
    setInterval(() => {
      shown = ringing.length > 0 && !shown;
      document.title = shown ? `【${ringing.length} 位客户等人工】` : title;
    }, BLINK_MS);
    setInterval(() => { if (ringing.length) chime(); }, RING_EVERY_MS);
    follow(list.dataset.events, {
      list({ html, ringing: now }) {
        renew(list, html);
        ring(now);
      },
    });
  };

  // —— one talk ——

  const talk = document.getElementById("talk");
  const lines = document.getElementById("lines");

  const atEnd = () => lines.scrollHeight - lines.scrollTop - lines.clientHeight < 80;
  const toEnd = () => { lines.scrollTop = lines.scrollHeight; };

  const putLine = ({ id, html }) => {
    const near = atEnd();
    document.getElementById("nothing")?.remove();
    const line = elementOf(html);
    const known = document.getElementById(`line-${id}`);
    if (known) known.replaceWith(line);
    else lines.insertBefore(line, [...lines.children].find((other) => Number(other.dataset.id) > id) ?? null);
    if (near) toEnd();
  };

  const isChanged = (field) => field.value !== (field.matches("select") ? "" : field.defaultValue);

  // While a Chinese word is being composed its field must stay as it is: the desk that came last waits for the word's end.
  // The same while a button is pressed: exchanged between down and up, it would swallow the click.
  let composing = false;
  let pressing = false;
  let waiting = null;
  const putNews = ({ html }) => {
    if (composing || pressing) waiting = html;
    else if (!isRefused(html)) putDesk(html);
  };
  const putWaiting = () => {
    // A click on 发送 ends the word too: the button must not be exchanged under it.
    setTimeout(() => { if (!composing && !pressing && waiting) putNews({ html: waiting }); }, AFTER_A_WORD_MS);
  };

  /** What was refused stays with the reason beside it, until it is sent again or somebody else has the talk. */
  const isRefused = (html) => {
    const old = document.getElementById("desk");
    return Boolean(old.querySelector("[aria-invalid]")) && elementOf(html).dataset.state === old.dataset.state;
  };

  /** The desk anew; what was being written stays, with its selection, unless it has just been sent. */
  const putDesk = (html, { sent = false } = {}) => {
    waiting = null;
    const old = document.getElementById("desk");
    const written = sent ? [] : [...old.querySelectorAll("textarea, select, input:not([type=hidden])")].filter(isChanged);
    const active = old.contains(document.activeElement) ? document.activeElement : null;
    const focused = active?.name ?? "";
    const selected = typeof active?.selectionStart === "number" ? [active.selectionStart, active.selectionEnd] : null;
    const opened = [...old.querySelectorAll("details")].map((one) => one.open);
    const desk = elementOf(html);
    const stays = desk.dataset.state === old.dataset.state;
    old.replaceWith(desk);
    for (const { name, value } of written) {
      const field = name && desk.querySelector(`[name="${name}"]:not([type=hidden])`);
      if (field && !isChanged(field)) field.value = value;
    }
    const field = desk.querySelector(sent ? "#words" : focused && `[name="${focused}"]:not([type=hidden])` || "[data-none]");
    field?.focus();
    if (field && selected && !sent) field.setSelectionRange(...selected);
    if (stays) desk.querySelectorAll("details").forEach((one, number) => { one.open ||= Boolean(opened[number]); });
  };

  const send = async (form) => {
    const button = form.querySelector("button");
    if (button.disabled) return;
    button.disabled = true;
    try {
      const answer = await fetch(form.action, {
        method: "POST",
        body: new URLSearchParams(new FormData(form)),
        headers: { "X-Part": "desk" },
        redirect: "manual",
      });
      if (answer.type === "opaqueredirect" || answer.status === 403) location.reload();
      else if ([200, 400, 409, 422].includes(answer.status)) putDesk(await answer.text(), { sent: answer.ok });
      else throw new Error(String(answer.status));
    } catch {
      // The line keeps its key, so that sending it again cannot double it.
      offline.hidden = false;
      button.disabled = false;
    }
  };

  const startTalk = () => {
    toEnd();
    talk.addEventListener("submit", (event) => {
      if (!event.target.matches("[data-desk]")) return;
      event.preventDefault();
      send(event.target);
    });
    talk.addEventListener("keydown", (event) => {
      // Enter ends the composing of a Chinese word in some input methods (keyCode 229): it must not send.
      if (event.target.id !== "words" || event.key !== "Enter" || event.shiftKey || event.isComposing || event.keyCode === 229) return;
      event.preventDefault();
      event.target.form.requestSubmit();
    });
    talk.addEventListener("click", (event) => {
      const phrase = event.target.closest("[data-phrase]");
      const words = document.getElementById("words");
      if (!phrase || !words) return;
      words.value = words.value ? `${words.value}${phrase.textContent}` : phrase.textContent;
      words.focus();
    });
    talk.addEventListener("compositionstart", () => { composing = true; });
    talk.addEventListener("compositionend", () => { composing = false; putWaiting(); });
    talk.addEventListener("pointerdown", (event) => { pressing = Boolean(event.target.closest("#desk")); });
    for (const end of ["pointerup", "pointercancel"]) {
      addEventListener(end, () => { pressing = false; putWaiting(); });
    }
    follow(talk.dataset.events, { line: putLine, desk: putNews });
    document.getElementById("words")?.focus();
  };

  if (list) startList();
  if (talk) startTalk();
  tellTimes();
  setInterval(tellTimes, 1000);
})();
