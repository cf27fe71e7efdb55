/**
 * The visible conversation: deep-chat, and what we add inside it (time separators, delivery states, quick replies).
 *
 * deep-chat renders text as Markdown. Nothing a person wrote may be changed or run, so every bubble's content is
 * replaced with plain text in the same task, before the browser paints.
 */

const SEPARATOR_GAP_MS = 5 * 60 * 1000;
const NEAR_BOTTOM_PX = 120;

export class Thread {
  /**
   * @param {HTMLElement} host where the chat is put
   * @param {{css: string, maxLength: number, draft: string, placeholder: string,
   *          onSubmit: (text: string, item: Item) => void, onDraft: (text: string) => void,
   *          onTooLong: (length: number) => void}} options
   */
  constructor(host, options) {
    this.options = options;
    this.items = [];
    this.typing = false;
    this.loading = { toggle: () => {} };
    this.chat = this.#build(host);
  }

  /** Resolves when the chat can be used. */
  async ready() {
    // deep-chat renders from two timers, one from its constructor and one for its properties; on a slow machine both
    // fire and the second replaces everything. Only after the last one its elements are there to stay.
    while (!this.chat._hasBeenRendered || this.chat._waitingToRender_) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    this.root = this.chat.shadowRoot;
    this.list = this.root.getElementById("messages");
    this.field = this.root.getElementById("text-input");
    this.field.setAttribute("aria-label", "输入您的回复");
    this.field.setAttribute("aria-multiline", "true");
    this.field.tabIndex = 0;
    this.field.addEventListener("keydown", stopUnfinishedInput, { capture: true });
    const send = this.root.querySelector(".input-button");
    send.setAttribute("aria-label", "发送");
    this.list.tabIndex = 0;
    this.list.setAttribute("role", "region");
    this.list.setAttribute("aria-label", "对话内容");
    this.#stayAtBottom();
  }

  focus() {
    this.chat.focusInput();
  }

  fieldText() {
    return this.field.innerText.trim();
  }

  /** Adds a line and returns its item. `own`: the customer's. `time`: a Date. `id`: the server's, or null. `speaker`: a colleague's name. */
  add({ id = null, own, text, time, speaker = null }) {
    const atBottom = this.#nearBottom();
    this.chat.addMessage({ text: text || " ", role: own ? "user" : "ai" });
    const item = this.#adopt({ id, own, text, time, speaker });
    this.place(item);
    if (own || atBottom) this.scrollDown();
    return item;
  }

  /** The server's word on a line that was shown before it was accepted. */
  correct(item, { id, time }) {
    item.id = id;
    if (time) item.time = time;
    this.place(item);
  }

  /** Moves a line to where its id says; lines without id are at the end. Keeps separators right. */
  place(item) {
    const rest = this.items.filter((other) => other !== item);
    let at = rest.length;
    while (item.id !== null && at > 0 && (rest[at - 1].id === null || rest[at - 1].id > item.id)) at -= 1;
    const moved = this.items.indexOf(item) !== at;
    rest.splice(at, 0, item);
    this.items = rest;
    if (moved) {
      const next = this.items[at + 1];
      if (next) next.element.before(item.element);
    }
    this.#separate();
  }

  /** Shows how a sent line fares: "" | "发送中…" | {label, onClick}. */
  setState(item, state) {
    item.state?.remove();
    item.state = null;
    if (!state) return;
    const line = document.createElement("div");
    line.className = "state";
    if (typeof state === "string") line.textContent = state;
    else {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = state.label;
      button.addEventListener("click", state.onClick);
      line.append(button);
    }
    const atBottom = this.#nearBottom();
    item.element.append(line);
    item.state = line;
    if (atBottom) this.scrollDown();
  }

  /** Buttons under the given line; the earlier ones go. `labels` may be empty. */
  setChoices(item, labels, onChoose) {
    const hadFocus = this.choices?.contains(this.root.activeElement);
    this.choices?.remove();
    this.choices = null;
    if (hadFocus) this.focus();
    if (!item || !labels.length) return;
    const group = document.createElement("div");
    group.className = "choices";
    group.setAttribute("role", "group");
    group.setAttribute("aria-label", "可以直接选");
    for (const label of labels) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = label;
      button.addEventListener("click", () => onChoose(label), { once: true });
      group.append(button);
    }
    const atBottom = this.#nearBottom();
    item.element.append(group);
    this.choices = group;
    if (atBottom) this.scrollDown();
  }

  setTyping(on) {
    if (on === this.typing) return;
    this.typing = on;
    const atBottom = this.#nearBottom();
    // deep-chat's switch: with an argument it shows (or changes) the bubble, without one it takes the bubble away.
    if (on) this.loading.toggle({});
    else this.loading.toggle();
    if (atBottom) this.scrollDown();
  }

  scrollDown() {
    const down = () => { this.list.scrollTop = this.list.scrollHeight; };
    down();
    // deep-chat scrolls to the top of a new line in a timer of its own; ours comes after it.
    setTimeout(down);
  }

  #build(host) {
    const chat = document.createElement("deep-chat");
    // Without an own font deep-chat asks a font server of a third party.
    Object.assign(chat.style, {
      fontFamily: "var(--sans)", width: "100%", height: "100%", border: "0", backgroundColor: "transparent",
    });
    chat.auxiliaryStyle = this.options.css;
    chat.displayLoadingBubble = this.loading;
    chat.messageStyles = {
      loading: { message: { styles: { bubble: { color: "var(--ink-soft)" } } } },
    };
    chat.textInput = { placeholder: { text: this.options.placeholder } };
    if (this.options.draft) chat.defaultInput = { text: this.options.draft };
    chat.submitButtonStyles = {
      position: "outside-end",
      submit: { text: { content: "发送" }, svg: { content: "" } },
      disabled: { text: { content: "发送" }, svg: { content: "" } },
    };
    chat.errorMessages = { displayServiceErrorMessages: false, overrides: { default: "出了点问题，请稍后再试" } };
    chat.validateInput = (text) => this.#mayBeSent(text ?? "");
    chat.onInput = ({ content, isUser }) => this.options.onDraft(isUser ? content.text ?? "" : "");
    chat.connect = {
      websocket: true,
      handler: (_, signals) => {
        // Lines go out by our own queue, which outlives a broken connection: deep-chat may always take a new one.
        signals.onOpen();
        signals.newUserMessage.listener = ({ messages }) => this.#submitted(messages[messages.length - 1].text);
      },
    };
    host.append(chat);
    return chat;
  }

  #mayBeSent(text) {
    const length = [...text.trim()].length;
    this.options.onTooLong(length > this.options.maxLength ? length : 0);
    return length > 0 && length <= this.options.maxLength;
  }

  #submitted(text) {
    const item = this.#adopt({ id: null, own: true, text, time: new Date() });
    this.place(item);
    this.scrollDown();
    // The field is empty now; deep-chat looks at it again only at the next key.
    setTimeout(() => this.chat._validationHandler?.());
    this.options.onSubmit(text, item);
  }

  /** Takes the line deep-chat has just drawn into our keeping. */
  #adopt({ id, own, text, time, speaker = null }) {
    const lines = this.list.querySelectorAll(`.outer-message-container:has(.${own ? "user" : "ai"}-message-text)`);
    const drawn = [...lines].filter((line) => !line.dataset.ours && !line.querySelector(".loading-message-dots"));
    const element = drawn[drawn.length - 1];
    element.dataset.ours = "1";
    const bubble = element.querySelector(".message-bubble");
    bubble.textContent = text;
    bubble.dir = "auto";
    const by = document.createElement("span");
    by.className = speaker ? "by" : "unseen";
    by.textContent = speaker ? `客服${speaker}` : own ? "我说：" : "智能助手说：";
    if (speaker) element.classList.add("colleague");
    if (speaker) (element.querySelector(".inner-message-container") ?? bubble).before(by);
    else bubble.before(by);
    const item = { id, own, text, time, element, state: null, when: null };
    this.items.push(item);
    return item;
  }

  #separate() {
    let before = null;
    for (const item of this.items) {
      const wanted = !before || item.time - before.time > SEPARATOR_GAP_MS || !sameDay(item.time, before.time);
      if (wanted && !item.when) {
        item.when = document.createElement("div");
        item.when.className = "when";
        item.element.prepend(item.when);
      } else if (!wanted && item.when) {
        item.when.remove();
        item.when = null;
      }
      if (item.when) item.when.textContent = timeLabel(item.time);
      before = item;
    }
  }

  /** The field grows, a keyboard opens: who was reading the newest line goes on reading it. */
  #stayAtBottom() {
    let near = true;
    this.list.addEventListener("scroll", () => { near = this.#nearBottom(); }, { passive: true });
    new ResizeObserver(() => { if (near) this.list.scrollTop = this.list.scrollHeight; }).observe(this.list);
  }

  #nearBottom() {
    return this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < NEAR_BOTTOM_PX;
  }
}

/** Enter ends the composing of a Chinese word in some input methods (keyCode 229): it must not send. */
function stopUnfinishedInput(event) {
  if (event.key === "Enter" && (event.isComposing || event.keyCode === 229)) event.stopImmediatePropagation();
}

// The bot speaks of times in China's: "明天下午三点" and the separators must mean the same clock.
const CHINA = new Intl.DateTimeFormat("zh-CN", {
  timeZone: "Asia/Shanghai", hourCycle: "h23",
  year: "numeric", month: "numeric", day: "numeric", hour: "2-digit", minute: "2-digit",
});

function inChina(time) {
  return Object.fromEntries(CHINA.formatToParts(time).map(({ type, value }) => [type, value]));
}

function sameDay(a, b) {
  const [one, other] = [inChina(a), inChina(b)];
  return one.year === other.year && one.month === other.month && one.day === other.day;
}

function timeLabel(time, now = new Date()) {
  const { year, month, day, hour, minute } = inChina(time);
  const clock = `${hour}:${minute}`;
  if (sameDay(time, now)) return clock;
  if (sameDay(time, new Date(now.getTime() - 24 * 3600 * 1000))) return `昨天 ${clock}`;
  const date = `${month}月${day}日 ${clock}`;
  return year === inChina(now).year ? date : `${year}年${date}`;
}
