// SiltEvents
