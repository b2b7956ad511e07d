/// A walk along a stack outward to the function that a library was asked for.
///
/// What that library called on its own behalf, as a database that opens its file, is given back by it alone.
struct PairSearch {
    private(set) var found: KnownPair?
    private var isInLibrary = false
    private var isPastBlamed = false

    /// Whether the frames around this one may still say something else.
    mutating func goes(
        on function: String,
        _ module: String,
        isProgram: Bool,
        isBlamed: Bool,
        _ pairs: KnownPairs
    ) -> Bool {
        let pair = pairs.pair(function: function, module: module, isProgram: isProgram)
        if pair?.isKept ?? false {
            found = nil
            return false
        }
        isPastBlamed = isPastBlamed || isBlamed
        if isProgram {
            guard !isPastBlamed else { return false }
            found = pair ?? found
        } else if pairs.knows(module) {
            found = pair
            isInLibrary = true
        } else if isInLibrary || isPastBlamed {
            return false
        }
        return true
    }
}
