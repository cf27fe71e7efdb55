"""The fake WeChat that `followup fake-wechat` shows, for tests: it lives in the package because the command needs it."""

from followup.channels.wechat.fake import FakeWechat, Phone, Weather

__all__ = ["FakeWechat", "Phone", "Weather"]
