"""tornado and traitlets: parse a request, ask one service, render the answer. No decision is made here."""
