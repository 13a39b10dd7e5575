from tests.integration.test_sockets import *
