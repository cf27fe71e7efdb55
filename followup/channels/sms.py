"""What holds for short messages whoever carries them: the variables and the number.

Carriers refuse links and the word 问卷 in variables, and new accounts may fill a variable with six characters only. So the text
is registered once, with the fixed address of the page where a code is typed, and the code is all that differs (decision 0012).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from followup.channels import Refused

CHANNEL = "sms"
SHORTEST, LONGEST = 1, 35
"""Characters of a variable."""
_MOBILE = re.compile(r"1[3-9]\d{9}")
_LINK = re.compile(r"https?:|www\.|[\w-]+\.(?:com|cn|net|org|cc|top|vip|xyz|shop|site)\b|\d{1,3}(?:\.\d{1,3}){3}|://", re.I)
_FORBIDDEN = ("问卷", "问券", "調查", "调查", "【", "】")


def mobile(number: str) -> str:
    """The number as providers want it. Raises Refused (permanent) when no short message can reach it."""
    plain = number.strip().removeprefix("+86")
    if _MOBILE.fullmatch(plain) is None:
        raise Refused("not_a_mobile_number")
    return plain


def checked(variables: Mapping[str, str]) -> Mapping[str, str]:
    """The variables. Raises Refused (ours) for what a carrier would refuse, before it costs anything."""
    for name, value in variables.items():
        if not SHORTEST <= len(value) <= LONGEST:
            raise Refused("variable_length", name, "ours")
        if _LINK.search(value) or any(word in value for word in _FORBIDDEN) or not value.isprintable():
            raise Refused("variable_content", name, "ours")
    return variables
