import asyncio, os
from tests.browser.standin import *
OUT="/tmp/web-scratch/shots"; os.makedirs(OUT, exist_ok=True)

async def test_shots(devices, gateway, bot, talk, database):
    bot.script=[[Reply("好的，谢谢您。"),Reply("请问您是以什么方式知悉我们演示金融的呢？",("朋友介绍","网络","4S 店","其他"))],
      [Reply("请问您对我们的利率和费用满意吗？",("很满意","一般","不满意"))],
      [Reply("谢谢您直说。没能让您满意，是我们没有做好，这一点我如实记下，今天之内转给相关同事。"),Reply("请问您对贷款期限的设置满意吗？",("很满意","一般","不满意"))]]
    for name, opts in {"desktop": dict(viewport={"width":1280,"height":800}), "phone": dict(viewport={"width":360,"height":740}, has_touch=True, is_mobile=True, device_scale_factor=2)}.items():
        t = await make_talk(database)
        bot.script=list(bot.script) if name=="desktop" else [[Reply("好的，谢谢您。"),Reply("请问您是以什么方式知悉我们演示金融的呢？",("朋友介绍","网络","4S 店","其他"))],
      [Reply("请问您对我们的利率和费用满意吗？",("很满意","一般","不满意"))],
      [Reply("谢谢您直说。没能让您满意，是我们没有做好，这一点我如实记下，今天之内转给相关同事。"),Reply("请问您对贷款期限的设置满意吗？",("很满意","一般","不满意"))]]
        ctx = await devices.new(**opts)
        page = await ctx.new_page()
        page.on("console", lambda m: print("CONSOLE", m.text))
        page.on("pageerror", lambda e: print("ERR", e, e.stack))
        await page.goto(f"{gateway.url}/c/{t.token}")
        await page.screenshot(path=f"{OUT}/{name}-landing.png")
        bot.awake.clear()
        await page.get_by_role("button", name="开始").click()
        await page.locator("body[data-ready]").wait_for()
        await page.wait_for_timeout(400)
        await page.screenshot(path=f"{OUT}/{name}-empty.png")
        bot.awake.set()
        await page.get_by_text("请问您现在方便吗").first.wait_for()
        await page.wait_for_timeout(200)
        await page.screenshot(path=f"{OUT}/{name}-opening.png")
        await page.get_by_role("button", name="方便", exact=True).click()
        await page.get_by_text("什么方式知悉").first.wait_for()
        for s, nxt in (("朋友介绍的","利率和费用"),("就是有点贵，比我在别的银行问到的高了快一个点。\n别的都还行","期限的设置")):
            await page.get_by_role("textbox").fill(s)
            await page.get_by_role("button", name="发送").click()
            await page.get_by_text(nxt).first.wait_for()
        await page.wait_for_timeout(300)
        await page.screenshot(path=f"{OUT}/{name}-full.png")
        await page.get_by_role("textbox").fill("<b>粗体</b> <img src=x onerror=alert(1)> **星号** 1. 列表 https://example.com/"+"长"*120)
        bot.awake.clear()
        await page.get_by_role("button", name="发送").click()
        await page.wait_for_timeout(400)
        await page.screenshot(path=f"{OUT}/{name}-typing.png")
        bot.awake.set()
        await page.wait_for_timeout(400)
        await gateway.stop()
        await page.get_by_role("textbox").fill("这条发不出去")
        await page.get_by_role("button", name="发送").click()
        await page.wait_for_timeout(4500)
        await page.screenshot(path=f"{OUT}/{name}-offline.png")
        await gateway.start()
        await page.get_by_text("收到：这条发不出去").first.wait_for()
        await page.get_by_role("textbox").fill("长"*2100)
        await page.wait_for_timeout(300)
        await page.screenshot(path=f"{OUT}/{name}-toolong.png")
        await page.goto(f"{gateway.url}/c/unknown-token")
        await page.screenshot(path=f"{OUT}/{name}-unknown.png")
        p2 = await ctx.new_page()
        await p2.emulate_media(color_scheme="dark")
        await p2.goto(f"{gateway.url}/chat")
        await p2.locator("body[data-ready]").wait_for()
        await p2.wait_for_timeout(300)
        await p2.screenshot(path=f"{OUT}/{name}-dark.png")
    print(devices.errors)
    print({u.split("/")[2] for u in devices.requests})
