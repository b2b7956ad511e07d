// SiltHeapTests
