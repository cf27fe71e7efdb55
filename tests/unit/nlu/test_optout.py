"""Who forbids all further contact, and who only seems to."""

import pytest

from followup.nlu.optout import is_opt_out


@pytest.mark.parametrize(
    "text",
    "退订 TD td ＴＤ T。 T 退訂 别再打了 別再打了 不要再给我打电话了 以后别联系我 以后都不要打了 拉黑 把我拉黑吧 再打我就拉黑了 "
    "我要退订 请把我的号码删除 永远别再联系我 别再骚扰我 再打我报警了 别老给我打电话 加入黑名单 不希望再接到你们的电话 "
    "以后这种电话别打了 你们不要再打我电话了 别再来烦我 以後不要再傳訊息給我 服务太差了,别再打了 怎么又打来了,不是说了不要再打了吗".split(),
)
def test_whoever_forbids_contact_is_believed(text):
    assert is_opt_out(text)


@pytest.mark.parametrize(
    "text",
    ["没有退订", "我没有退订", "不是要退订", "不用退订", "我没说别再打", "你们把我拉黑了", "我是不是被拉黑了", "我要退订酒店"],
)
def test_a_denial_or_another_matter_is_no_opt_out(text):
    assert not is_opt_out(text)


@pytest.mark.parametrize(
    "text", ["今天别再打了", "中午别打电话", "现在别打,明天再打", "别再打了,明天下午再打", "别打这个电话", "别老打电话,发微信就行"]
)
def test_who_wants_another_time_or_way_is_not_dropped_for_ever(text):
    assert not is_opt_out(text)


@pytest.mark.parametrize("text", ["不", "不需要", "TD线", "not", "NO", "别再发错了", "不要再打包装了", "", "以后不要发这种烂的"])
def test_other_refusals_and_look_alikes_are_no_opt_out(text):
    assert not is_opt_out(text)


def test_an_opt_out_at_the_end_of_a_very_long_message_counts():
    assert is_opt_out("唉" * 10_000 + ",别再打了")
