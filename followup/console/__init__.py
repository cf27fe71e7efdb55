"""The staff console at /console: transcripts, live talks, tickets, figures, inspection, accounts. Part of the web process."""
