from tests.integration.test_bodiless_calls import *
