// SiltSession
