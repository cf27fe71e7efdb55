"""`make bench-understanding`: ways to understand a reply, trained on the same examples, asked the same frozen replies."""
