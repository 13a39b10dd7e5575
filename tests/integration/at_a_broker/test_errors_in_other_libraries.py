from tests.integration.test_errors_in_other_libraries import *
