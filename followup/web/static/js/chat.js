/** The chat page: puts thread (what is seen), outbox (what goes out) and stream (what comes in) together. */

import { Outbox } from "./outbox.js";
import { Stream } from "./stream.js";
import { Thread } from "./thread.js";

const OFFLINE_AFTER_MS = 2500;
const TYPING_AT_MOST_MS = 60000;
const SLOW_START_MS = 10000;
const ANNOUNCED_LINES = 30;

const page = document.body;
const talk = page.dataset.talk;
const maxLength = Number(page.dataset.maxLength);
const seen = new Set();
const byClientId = new Map();
const byId = new Map();
let lastId = 0;
let downTimer = null;
let typingTimer = null;
let lastBotRow = null;

const banner = document.getElementById("banner");
const hint = document.getElementById("hint");
const speaks = document.getElementById("speaks");
const log = document.getElementById("log");

function say(element, text) {
  element.textContent = text;
  element.hidden = !text;
}

const outbox = new Outbox(talk, {
  onState(line, state, detail) {
    const item = byClientId.get(line.id);
    if (!item) return;
    if (state === "sending") thread.setState(item, "发送中…");
    if (state === "sent") {
      thread.setState(item, "");
      arrived(item, { id: detail.id });
    }
    if (state === "failed") {
      thread.setState(item, { label: "未送达，点此重试", onClick: () => { outbox.retry(); thread.focus(); } });
    }
    if (state === "refused") thread.setState(item, detail ?? "这条消息没能送达");
  },
  onSignedOut: signedOut,
});

const stream = new Stream(talk, {
  lastId: () => lastId,
  onMessage: (row) => show(row, { live: true }),
  onState: turnState,
  onUp() {
    clearTimeout(downTimer);
    downTimer = null;
    say(banner, "");
    outbox.retry();
  },
  onDown() {
    downTimer ??= setTimeout(() => say(banner, "网络不太稳定，正在重新连接……您的消息会保留，连上后自动发送"), OFFLINE_AFTER_MS);
  },
  onSignedOut: signedOut,
});

let thread;

function signedOut(message) {
  clearTimeout(downTimer);
  typing(false);
  say(banner, message || "这次对话已在此处失效，请重新打开您收到的链接，或者回到在线客服页面");
}

/** One row of the transcript, from history or live; a row that is known already changes nothing. */
function show(row, { live }) {
  lastId = Math.max(lastId, row.id);
  if (seen.has(row.id)) return;
  seen.add(row.id);
  const own = row.direction === "in";
  const mine = own ? byClientId.get(row.client_msg_id) : null;
  if (mine) {
    outbox.acknowledge(row.client_msg_id);
    if (mine.id === null) thread.setState(mine, "");
    arrived(mine, { id: row.id, time: new Date(row.time) });
    return;
  }
  const item = thread.add({ id: row.id, own, text: row.text, time: new Date(row.time), speaker: row.speaker });
  byId.set(row.id, item);
  if (own) {
    byClientId.set(row.client_msg_id, item);
    if (!lastBotRow || row.id > lastBotRow.id) offer(null, []);
  } else if (!lastBotRow || row.id > lastBotRow.id) {
    lastBotRow = row;
    offer(item, row.quick_replies);
  }
  if (live) announce(own, row.text, row.speaker);
}

/** The server has the line: it takes its place in the order, and the server's time. */
function arrived(item, { id, time }) {
  byId.set(id, item);
  thread.correct(item, { id, time });
}

function offer(item, labels) {
  thread.setChoices(item, labels ?? [], (label) => {
    sent(label, thread.add({ own: true, text: label, time: new Date() }));
    thread.focus();
  });
}

function sent(text, item) {
  thread.setChoices(null, []);
  const line = outbox.add(text);
  byClientId.set(line.id, item);
  thread.setState(item, "发送中…");
  outbox.flush();
}

/** What becomes of the lines the server has: being worked on, or given up. Only the last one is worth repeating. */
function turnState({ typing: on, failed, colleague }) {
  typing(on);
  say(speaks, colleague ? `客服${colleague}正在为您服务` : "");
  if (colleague) offer(null, []);
  const item = byId.get(failed[failed.length - 1]);
  const last = [...byId.values()].filter((other) => other.own).pop();
  if (!item || item !== last) return;
  thread.setState(item, {
    label: "这条没有处理成功，点此重发",
    onClick() {
      thread.setState(item, "");
      sent(item.text, thread.add({ own: true, text: item.text, time: new Date() }));
    },
  });
}

function typing(on) {
  clearTimeout(typingTimer);
  thread.setTyping(on);
  if (on) typingTimer = setTimeout(() => thread.setTyping(false), TYPING_AT_MOST_MS);
}

/** For screen readers: the visible list is in deep-chat's shadow and is no live region. */
function announce(own, text, speaker) {
  const line = document.createElement("p");
  line.textContent = `${own ? "我" : speaker ? `客服${speaker}` : "智能助手"}：${text}`;
  log.append(line);
  while (log.childElementCount > ANNOUNCED_LINES) log.firstElementChild.remove();
}

function keepDraft(text) {
  try {
    sessionStorage.setItem(`followup:draft:${talk}`, text);
  } catch {
    // No storage: the draft lives as long as the page.
  }
}

function readDraft() {
  try {
    return sessionStorage.getItem(`followup:draft:${talk}`) ?? "";
  } catch {
    return "";
  }
}

async function history() {
  for (let wait = 800; ; wait = Math.min(wait * 2, 15000)) {
    try {
      const response = await fetch("/chat/history", { headers: { "X-Followup-Talk": talk }, cache: "no-store" });
      if (response.ok) return await response.json();
      if ([401, 403, 409, 410].includes(response.status)) {
        const body = await response.json().catch(() => ({}));
        signedOut(body.error);
        return null;
      }
    } catch {
      // No line yet.
    }
    say(banner, "网络不太稳定，正在重新连接……");
    await new Promise((resolve) => setTimeout(resolve, wait));
  }
}

async function start() {
  const slow = setTimeout(() => say(banner, "页面还没有加载完整，请检查网络，或刷新重试"), SLOW_START_MS);
  const cssAddress = new URL("../css/thread.css", import.meta.url);
  const [css] = await Promise.all([
    fetch(cssAddress).then((response) => response.text()),
    customElements.whenDefined("deep-chat"),
  ]);
  const host = document.getElementById("thread");
  thread = new Thread(host, {
    css,
    maxLength,
    draft: readDraft(),
    placeholder: "请输入您的回复",
    onSubmit: sent,
    onDraft: keepDraft,
    onTooLong: (length) => say(hint, length ? `写了 ${length} 字，一次最多 ${maxLength} 字，请精简后再发送` : ""),
  });
  await thread.ready();
  clearTimeout(slow);
  say(banner, "");
  const past = await history();
  document.getElementById("loading").remove();
  if (!past) return;
  say(banner, "");
  for (const row of past.messages) show(row, { live: false });
  for (const line of [...outbox.lines]) {
    if (byClientId.has(line.id)) outbox.acknowledge(line.id);
    else byClientId.set(line.id, thread.add({ own: true, text: line.text, time: new Date(line.at) }));
  }
  turnState(past);
  thread.scrollDown();
  stream.open();
  outbox.flush();
  if (matchMedia("(hover: hover) and (pointer: fine)").matches) thread.focus();
  page.dataset.ready = "1";
}

start();
