"""Live talks 实时会话: running talks as they happen, and a colleague who speaks instead of the bot."""
