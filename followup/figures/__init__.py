"""Figures over many talks: the documents' forms. Pure: rows in, dataclasses out.

    talks.py     what a figure is made of: talks and their valid answers
    forms.py     how a form looks, from data/forms/
    survey.py    客户满意度调查统计表 (63714)
    workshop.py  落实度 and 满意度 over many talks (63714 风行汽车)
    text.py      any of them for the terminal
    xlsx.py      any of them as a spreadsheet

The rows are read by `followup.store.figures`.
"""
