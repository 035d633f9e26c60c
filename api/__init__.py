"""The faces and the process: HTTP, command line, settings, wiring and the runtime."""
