from tests.integration.test_diagnostics import *
