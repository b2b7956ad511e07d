// SiltGrowthTests
