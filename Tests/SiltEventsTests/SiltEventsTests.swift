// SiltEventsTests
