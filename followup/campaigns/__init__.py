"""Follow-up that runs by itself: whom to contact, when, on which channel, and what became of each customer."""
