// What fake_phone.html of both channels does: shows the screen, sends what is done on it.
const one = id => document.getElementById(id)
const act = (act, text = "", menu = "") => fetch("/phone", {method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify({act, text, menu})}).then(look)
const how = {passive: "被动回复", custom: "客服消息", template: "模板消息", send: "客服消息", event: "欢迎语", servicer: "接待人员"}
const states = ["未处理", "智能助手接待", "待接入池排队中", "人工接待中", "会话未开始或已结束"]
const modes = {plain: "明文模式", compatible: "兼容模式", aes: "安全模式"}
const stands = now => now.state === undefined
  ? `${now.kind === "service" ? "服务号" : "订阅号"}，${modes[now.mode]}；${now.follows ? "已关注" : "未关注"}；还可以发 ${now.left} 条客服消息`
  : `${states[now.state]}；还可以发 ${now.left} 条消息`
let shown = ""
async function look() {
  const now = await (await fetch("/phone")).json()
  one("state").textContent = stands(now)
  one("calls").textContent = now.calls.length ? "最近的接口调用：" + now.calls.map(([path, code]) => `${path.split("/").slice(-2).join("/")} → ${code}`).join("；") : ""
  one("broken").textContent = now.broken.join("；")
  if (one("script").length === 0) for (const [id, title] of Object.entries(now.scripts)) one("script").append(new Option(title, id))
  one("scan").hidden = one("script").length === 0
  if (JSON.stringify(now.seen) === shown) return
  shown = JSON.stringify(now.seen)
  one("screen").replaceChildren(...now.seen.map(line => {
    const item = document.createElement("li"), bubble = document.createElement("div")
    item.className = line.from
    bubble.className = "bubble"; bubble.textContent = line.text
    for (const [id, label] of line.choices || []) {
      const tap = document.createElement("button"); tap.textContent = label; tap.onclick = () => act("say", label, id); bubble.append(tap)
    }
    const by = how[line.from === "servicer" ? "servicer" : line.how]
    if (by) { const small = document.createElement("small"); small.textContent = by; bubble.append(small) }
    item.append(bubble); return item
  }))
  one("screen").scrollTop = one("screen").scrollHeight
}
one("say").onsubmit = event => { event.preventDefault(); act("say", one("text").value); one("text").value = "" }
one("scan").onsubmit = event => { event.preventDefault(); act("scan", one("script").value) }
const servicer = one("servicer")
if (servicer) servicer.onsubmit = event => { event.preventDefault(); act("servicer", one("servicer-text").value); one("servicer-text").value = "" }
for (const key of document.querySelectorAll("[data-act]")) key.onclick = () => act(key.dataset.act)
setInterval(look, 700); look()
