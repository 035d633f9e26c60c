"""The crash matrix: kill -9 of every process, at random and at every step that is written down."""
