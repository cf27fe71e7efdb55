"""Customers from outside: reading a file of them (pure), and writing them down."""
