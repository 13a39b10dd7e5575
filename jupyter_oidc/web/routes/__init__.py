"""One module per group of routes; each verb is one function under one access rule."""
