// SiltGrowth
