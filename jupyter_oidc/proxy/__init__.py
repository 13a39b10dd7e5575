"""Decides whether a call may go out, with which headers, and what may come back; opens no sockets."""
