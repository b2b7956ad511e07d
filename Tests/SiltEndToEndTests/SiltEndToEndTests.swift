// SiltEndToEndTests
