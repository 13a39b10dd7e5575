"""A module that ends the process which imports it, as some scripts do."""

import sys

sys.exit("this one is a script")
