from tests.integration.test_worker_grants import *
