"""The routes as functions of plain values, for every front: no web framework, no network, no notebook server."""
