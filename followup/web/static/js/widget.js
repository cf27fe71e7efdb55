/**
 * Puts the chat on any page with one tag:
 *   <script src="https://followup.example.com/widget.js" async></script>                    在线客服: whoever visits the site
 *   <script src="https://followup.example.com/widget.js" data-token="..." async></script>   客户回访: one customer's own talk
 * Optional: data-label (text of the button), data-side ("left" or "right").
 * The site must be named in FOLLOWUP_EMBED_ORIGINS, or the browser will not show the frame.
 */
(() => {
  const script = document.currentScript;
  if (!script) return;
  const token = script.dataset.token;
  // A page that means one customer's talk and names none must not show everybody's.
  if ((token !== undefined && !/^[A-Za-z0-9_-]{8,200}$/.test(token)) || document.getElementById("followup-widget")) return;
  const origin = new URL(script.src).origin;
  const label = script.dataset.label || (token ? "客户回访" : "在线客服");
  const side = script.dataset.side === "left" ? "left" : "right";

  const host = document.createElement("div");
  host.id = "followup-widget";
  const root = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
    :host { all: initial; position: fixed; z-index: 2147483000; bottom: calc(20px + env(safe-area-inset-bottom)); ${side}: 20px; }
    button { display: flex; align-items: center; gap: 8px; min-height: 48px; padding: 0 18px; border: 0; border-radius: 99px;
      background: #1d665a; color: #fff; box-shadow: 0 4px 18px rgb(0 0 0 / 22%); cursor: pointer;
      font: 600 15px/1.4 -apple-system, BlinkMacSystemFont, "PingFang SC", "Microsoft YaHei", "Noto Sans SC", sans-serif; }
    button:hover { background: #154d44; }
    button:focus-visible { outline: 3px solid #b5651d; outline-offset: 2px; }
    svg { width: 20px; fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
    iframe { position: absolute; bottom: 60px; ${side}: 0; width: 380px; height: min(620px, calc(100vh - 110px)); border: 0;
      border-radius: 16px; background: #f3f1ec; box-shadow: 0 10px 40px rgb(0 0 0 / 24%); }
    [hidden] { display: none; }
    @media (max-width: 480px) {
      iframe { position: fixed; inset: 0 0 auto 0; width: 100%; height: calc(100dvh - 80px); border-radius: 0 0 16px 16px; }
    }
  `);
  root.adoptedStyleSheets = [sheet];

  const button = document.createElement("button");
  button.type = "button";
  button.setAttribute("aria-expanded", "false");
  const icon = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  icon.setAttribute("viewBox", "0 0 24 24");
  icon.setAttribute("aria-hidden", "true");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", "M5 5h14a2 2 0 0 1 2 2v8a2 2 0 0 1-2 2h-7l-5 4v-4H5a2 2 0 0 1-2-2V7a2 2 0 0 1 2-2Z");
  icon.append(path);
  const text = document.createElement("span");
  text.textContent = label;
  button.append(icon, text);
  root.append(button);

  let frame = null;
  const show = (open) => {
    if (!frame && open) {
      // Made on the first click only: a page view must not open a talk.
      frame = document.createElement("iframe");
      frame.src = `${origin}/${token ? `c/${encodeURIComponent(token)}` : "ask"}?embed=1`;
      frame.title = label;
      frame.referrerPolicy = "no-referrer";
      root.append(frame);
    }
    if (frame) frame.hidden = !open;
    button.setAttribute("aria-expanded", String(open));
    text.textContent = open ? "收起" : label;
    if (open) frame.focus();
  };
  button.addEventListener("click", () => show(button.getAttribute("aria-expanded") !== "true"));
  root.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { show(false); button.focus(); }
  });
  (document.body ?? document.documentElement).append(host);
})();
