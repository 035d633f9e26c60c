"""Backup, restore and check of the database, for each kind of it."""
