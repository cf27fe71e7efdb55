"""Figures over many talks: the documents' forms. Pure: rows in, dataclasses out.

    talks.py     what a figure is made of: talks and their valid answers
    forms.py     how a form looks, from data/forms/
    survey.py    客户满意度调查统计表 (63714)
    workshop.py  落实度 and 满意度 over many talks (63714 风行汽车)
    paper.py     a form or report as tables, however it is written down
    records.py   客户回访记录表 (63714 第六条)
    monthly.py   月度回访报告 (58741, 63714)
    text.py      any of them for the terminal
    xlsx.py      any of them as a spreadsheet
    pdf.py       any of them as PDF

The rows are read by `followup.store.figures`.
"""
