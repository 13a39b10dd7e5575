from tests.integration.test_what_people_see import *
