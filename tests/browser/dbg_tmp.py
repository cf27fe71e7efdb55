from tests.browser.standin import *
from tests.browser.browsing import open_chat
async def test_dbg(devices, gateway, bot, talk):
    ctx = await devices.new(viewport={"width":1280,"height":800})
    page = await ctx.new_page()
    page.on("console", lambda m: print("CONSOLE", m.text))
    page.on("pageerror", lambda e: print("ERR", e, e.stack))
    await page.goto(f"{gateway.url}/c/{talk.token}")
    bot.awake.clear()
    await page.get_by_role("button", name="开始").click()
    await page.wait_for_timeout(1500)
    bot.awake.set()
    await page.wait_for_timeout(2500)
    print(await page.evaluate("document.querySelector('deep-chat').shadowRoot.getElementById('container').innerHTML"))
    print(await page.evaluate("getComputedStyle(document.querySelector('deep-chat').shadowRoot.querySelector('.input-button')).backgroundColor"))
