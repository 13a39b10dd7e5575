from tests.integration.test_initiate_login import *
