"""The database's schema: what it is, which version stands in a database, and the way from one version to the next."""
