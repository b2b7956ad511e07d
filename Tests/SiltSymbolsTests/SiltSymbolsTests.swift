// SiltSymbolsTests
