"""Scripts, shared wording and answers: written in the browser, looked over by a second person, published, rolled back."""
