"""The talk files are read by the product too, which proves a new model on them: followup.training.talk_file."""

from followup.training.talk_file import DialogueFile, TalkFailed, hold, set_now

__all__ = ["DialogueFile", "TalkFailed", "hold", "set_now"]
