from tests.integration.test_another_person import *
