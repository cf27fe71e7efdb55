"""Customers' rights: whom not to contact, what we hold about somebody, erasing it, and how long it is kept."""
