from tests.integration.test_upload_endings import *
