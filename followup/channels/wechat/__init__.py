"""WeChat 公众号: what customers write there, and what they are answered (docs/decisions/0013)."""
