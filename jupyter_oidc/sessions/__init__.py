"""Who is signed in: a pure machine, and one owner per provider that holds the tokens."""
