"""The trainer's workbench: what was not understood, the examples, a trainer's own changes (decisions/0014)."""
