"""Models: trained in the background, compared, promoted and rolled back (docs/decisions/0014, docs/training.md)."""
