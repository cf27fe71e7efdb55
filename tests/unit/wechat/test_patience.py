from followup.web.wechat import Patience


def test_after_a_late_turn_only_one_request_in_half_a_minute_waits_long():
    now = [0.0]
    patience = Patience(4, 0.4, lambda: now[0])
    assert patience.seconds() == 4
    patience.ended(False)
    assert patience.seconds() == 0.4
    now[0] = 31
    assert [patience.seconds(), patience.seconds()] == [4, 0.4]


def test_turns_in_time_again_are_waited_for_again():
    patience = Patience(4, 0.4, lambda: 0.0)
    patience.ended(False)
    for _ in range(4):
        patience.ended(True)
    assert patience.seconds() == 0.4
    patience.ended(True)
    assert patience.seconds() == 4
