from tests.integration.test_silent_sign_in import *
