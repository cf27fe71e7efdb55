"""Understanding of replies. Light to import: the dialogue takes its threshold from here."""

NOT_UNDERSTOOD_BELOW = 0.35
"""Below this confidence the top intent is kept, but the dialogue treats it as a guess."""
