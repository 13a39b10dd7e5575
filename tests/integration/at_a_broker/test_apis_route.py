from tests.integration.test_apis_route import *
