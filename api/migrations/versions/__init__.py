"""One module per revision, in order: each says how to go up to it and how to go down from it."""
