"""Answers to what customers ask about the business: data/knowledge/<topic>.yml, written by people who do not program.

    load.py     topics and the company's own values, from the files                    pure
    check.py    findings for authors, in Chinese                                       pure
    new.py      a starting file for a new topic
    template.yml

Which answer fits a talk is decided in `followup.dialogue.knowledge`.
"""
