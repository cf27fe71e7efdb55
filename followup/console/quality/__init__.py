"""Quality inspection 质检: samples of talks, the score sheet, results per colleague and for the bot.

    sheet.py     the score sheet, from sheet.yml        pure
    hints.py     what a machine can see of a talk       pure
    sampling.py  which talks a draw takes               pure, but for two queries
    work.py      drawing, filling in, correcting
    queries.py   what the pages read
    results.py   means over filled sheets               pure
"""
