"""Tickets 工单: list, board, one ticket and what is done with it, the revisit afterwards, printed forms, reminders."""
