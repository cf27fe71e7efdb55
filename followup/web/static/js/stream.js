/**
 * The server's events. Reconnects by itself, from the last line it saw, also when the browser would give up
 * (an error status) or would not notice (a line that is dead without having been closed).
 */

const FIRST_WAIT_MS = 800;
const LONGEST_WAIT_MS = 15000;
const SILENCE_MS = 45000;

export class Stream {
  /**
   * @param {string} talk
   * @param {{lastId: () => number, onMessage: (row: object) => void, onState: (state: object) => void,
   *          onUp: () => void, onDown: () => void, onSignedOut: () => void}} listeners
   */
  constructor(talk, listeners) {
    this.talk = talk;
    this.listeners = listeners;
    this.wait = FIRST_WAIT_MS;
    this.source = null;
    this.stopped = false;
    this.heard = Date.now();
    setInterval(() => {
      if (this.source && Date.now() - this.heard > SILENCE_MS) this.#broken();
    }, 5000);
    addEventListener("online", () => this.#again());
    document.addEventListener("visibilitychange", () => {
      if (!document.hidden && Date.now() - this.heard > SILENCE_MS / 2) this.#again();
    });
  }

  open() {
    if (this.stopped) return;
    clearTimeout(this.timer);
    this.source?.close();
    const source = new EventSource(`/chat/events?talk=${this.talk}&after=${this.listeners.lastId()}`);
    this.source = source;
    this.heard = Date.now();
    const heard = (handle) => (event) => {
      this.heard = Date.now();
      handle?.(event.data ? JSON.parse(event.data) : null);
    };
    source.addEventListener("open", heard(() => {
      this.wait = FIRST_WAIT_MS;
      this.listeners.onUp();
    }));
    source.addEventListener("message", heard((row) => this.listeners.onMessage(row)));
    source.addEventListener("state", heard((state) => this.listeners.onState(state)));
    source.addEventListener("ping", heard());
    source.addEventListener("signed-out", () => this.stop());
    source.addEventListener("error", () => {
      if (this.source === source) this.#broken();
    });
  }

  stop() {
    this.stopped = true;
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
    this.listeners.onSignedOut();
  }

  #again() {
    this.wait = FIRST_WAIT_MS;
    this.open();
  }

  #broken() {
    this.source?.close();
    this.source = null;
    this.listeners.onDown();
    clearTimeout(this.timer);
    // Spread out, or all pages come back in the same instant after a restart.
    this.timer = setTimeout(() => this.#check(), this.wait * (0.7 + Math.random() * 0.6));
    this.wait = Math.min(this.wait * 2, LONGEST_WAIT_MS);
  }

  /** EventSource hides the status: ask once whether the session is over before trying for ever. */
  async #check() {
    try {
      const response = await fetch(`/chat/history?after=${this.listeners.lastId()}&limit=1`, {
        headers: { "X-Followup-Talk": this.talk },
        cache: "no-store",
      });
      if ([401, 403, 409, 410].includes(response.status)) return this.stop();
    } catch {
      // Still no line: the next try says so.
    }
    this.open();
  }
}
