from tests.integration.test_refusals_on_the_wire import *
