"""The hub: who subscribed to which events, and their delivery over HTTP on the job engine."""
