"""`make bench`: what a turn costs in time and memory, beside a stock Rasa project measured in the same run."""
