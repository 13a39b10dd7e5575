from tests.integration.test_operations_route import *
