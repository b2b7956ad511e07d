// SiltReports
