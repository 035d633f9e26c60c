"""Tests of how orders live: cancelled, held, changed on their way."""
