"""Follow-up scripts 话术: files written by people who do not program. Pure: no Rasa, no database, no HTTP."""
