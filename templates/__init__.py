"""Device configuration templates and platform data; no code."""
