// SiltRecording
