from tests.integration.test_herd import *
