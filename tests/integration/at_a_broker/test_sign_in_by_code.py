from tests.integration.test_sign_in_by_code import *
