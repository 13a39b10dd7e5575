from tests.integration.test_provider_logout import *
