"""微信客服 of 企业微信: the customers write in WeChat, we read and answer through WeCom's interface (docs/decisions/0015)."""
