"""The parts of the script checker (see `followup.scripts.check`). Pure: text and data in, findings out."""
