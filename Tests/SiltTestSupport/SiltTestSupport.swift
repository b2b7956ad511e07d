// SiltTestSupport
