"""`python -m followup.cli`, for where the `followup` command is not on the path."""

from followup.cli import main

main()
