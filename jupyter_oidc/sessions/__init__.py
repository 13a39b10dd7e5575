"""The session at each provider: a pure state machine, and one service per provider that holds the tokens."""
