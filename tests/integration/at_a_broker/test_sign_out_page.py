from tests.integration.test_sign_out_page import *
