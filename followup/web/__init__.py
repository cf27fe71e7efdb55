"""The public web application: landing page, chat, health. Started by `python -m followup.web`."""
