"""Rasa's custom actions: read the tracker, call the dialogue, write the records, return events. Nothing else."""
