"""Tests of the decisions of ``jupyter oidc setup``."""
