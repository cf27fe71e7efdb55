/**
 * What the customer said and the server has not yet acknowledged.
 *
 * Kept in localStorage and sent again with the same client_msg_id, so a reload, a dead battery or a broken line
 * neither loses a line nor doubles it. One line is under way at a time: the order is the order of speaking.
 */

const RETRY_AFTER_MS = [1000, 3000, 8000];
const TIMEOUT_MS = 15000;

export class Outbox {
  /**
   * @param {string} talk the talk's public reference
   * @param {{onState: (line: Line, state: "sending"|"failed"|"sent"|"refused", detail?: any) => void,
   *          onSignedOut: () => void}} listeners
   */
  constructor(talk, listeners) {
    this.talk = talk;
    this.key = `followup:unsent:${talk}`;
    this.listeners = listeners;
    this.lines = this.#load();
    this.busy = false;
    this.timer = null;
    this.tries = 0;
  }

  add(text) {
    const line = { id: newId(), text, at: Date.now() };
    this.lines.push(line);
    this.#save();
    return line;
  }

  /** Forgets a line that the server has, as history or the event stream shows. */
  acknowledge(id) {
    const known = this.lines.some((line) => line.id === id);
    this.lines = this.lines.filter((line) => line.id !== id);
    if (known) this.#save();
    return known;
  }

  /** Sends what is waiting, from the oldest. Call it again whenever there is hope. */
  async flush() {
    clearTimeout(this.timer);
    this.timer = null;
    if (this.busy) return;
    this.busy = true;
    try {
      while (this.lines.length) {
        const line = this.lines[0];
        this.listeners.onState(line, "sending");
        const answer = await this.#post(line);
        if (answer.kind === "sent") this.acknowledge(line.id);
        if (answer.kind === "refused") this.acknowledge(line.id);
        if (answer.kind === "sent" || answer.kind === "refused") {
          this.tries = 0;
          this.listeners.onState(line, answer.kind, answer.detail);
          continue;
        }
        if (answer.kind === "signed-out") {
          this.listeners.onState(line, "failed");
          this.listeners.onSignedOut(answer.detail);
          return;
        }
        this.#later(answer.after);
        return;
      }
    } finally {
      this.busy = false;
    }
  }

  /** The button "try again", the line is back, the page is looked at again. */
  retry() {
    this.tries = 0;
    return this.flush();
  }

  #later(after) {
    if (after !== undefined || this.tries < RETRY_AFTER_MS.length) {
      const wait = after ?? RETRY_AFTER_MS[this.tries];
      this.tries += 1;
      this.timer = setTimeout(() => this.flush(), wait);
      if (this.tries > 1) this.lines.forEach((line) => this.listeners.onState(line, "failed"));
    } else this.lines.forEach((line) => this.listeners.onState(line, "failed"));
  }

  async #post(line) {
    let response;
    try {
      response = await fetch("/chat/messages", {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-Followup-Talk": this.talk },
        body: JSON.stringify({ client_msg_id: line.id, text: line.text }),
        credentials: "same-origin",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
    } catch {
      return { kind: "unsent" };
    }
    const body = await response.json().catch(() => ({}));
    if (response.ok) return { kind: "sent", detail: body };
    if (response.status === 429) {
      const seconds = Number(response.headers.get("Retry-After")) || 3;
      return { kind: "unsent", after: seconds * 1000 };
    }
    if ([401, 403, 409, 410].includes(response.status)) return { kind: "signed-out", detail: body.error };
    if (response.status >= 400 && response.status < 500) return { kind: "refused", detail: body.error };
    return { kind: "unsent" };
  }

  #load() {
    try {
      const lines = JSON.parse(localStorage.getItem(this.key) ?? "[]");
      return lines.filter((line) => typeof line?.id === "string" && typeof line?.text === "string");
    } catch {
      return [];
    }
  }

  #save() {
    try {
      if (this.lines.length) localStorage.setItem(this.key, JSON.stringify(this.lines));
      else localStorage.removeItem(this.key);
    } catch {
      // Private windows may refuse to store: the page's own memory still has the lines.
    }
  }
}

function newId() {
  // crypto.randomUUID exists on https and localhost only; the talk may be served on an inner network by http.
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 0x0f) | 0x40;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  const hex = [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
