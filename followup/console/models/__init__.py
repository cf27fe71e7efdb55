"""Models in the console: training one, what came of it, having it go live and going back."""
