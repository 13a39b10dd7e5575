from tests.integration.test_kernel_endings import *
