// SiltSymbols
