// SiltReportsTests
