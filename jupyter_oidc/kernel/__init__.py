"""The kernel helper: a notebook's side of jupyter_oidc; knows the rest only through HTTP."""
