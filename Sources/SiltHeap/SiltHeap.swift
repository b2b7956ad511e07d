// SiltHeap
