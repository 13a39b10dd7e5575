"""A module that fails as optional libraries do, in a way of its own."""

raise RuntimeError("this one wants a display")
