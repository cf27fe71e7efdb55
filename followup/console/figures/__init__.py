"""Figures: the dashboard, the documents' forms, the monthly report.

    facts.py       what a figure may ask of one talk, as SQL; the list of talks filters by the very same expressions
    filters.py     which talks are counted: read from an address, written into one
    table.py       the same of every talk, written down and kept true, so that a year of talks is counted in no time
    queries.py     the counts: one grouped query each
    results.py     what the counts come to: shares, means, rates. Pure
    dashboard.py   the tables of the page. Pure
    pages.py       routes
"""
