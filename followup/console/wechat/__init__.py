"""WeChat in the console: accounts and their check, the menu, and what customers did not get."""
