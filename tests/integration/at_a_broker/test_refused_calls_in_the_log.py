from tests.integration.test_refused_calls_in_the_log import *
