"""The fake 微信客服 is part of the product (`followup fake-wecom`)."""

from followup.channels.wecom.fake import FakeWecom, Weather

__all__ = ["FakeWecom", "Weather"]
