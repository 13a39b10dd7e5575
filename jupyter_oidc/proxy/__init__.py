"""May this call go out, with which headers, and what may come back: decisions only, no sockets."""
