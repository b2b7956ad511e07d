// SiltRecordingTests
