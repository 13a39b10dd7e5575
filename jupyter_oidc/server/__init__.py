"""The tornado and traitlets side: parses a request, calls one service, renders the answer, and decides nothing."""
