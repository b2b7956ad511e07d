extension RandomAccessCollection {
    /// The first of the elements that satisfy `isFound`, behind all that do not; the end where none does.
    package func partitioningIndex(where isFound: (Element) -> Bool) -> Index {
        var (low, high) = (startIndex, endIndex)
        while low < high {
            let middle = index(low, offsetBy: distance(from: low, to: high) / 2)
            if isFound(self[middle]) { high = middle } else { low = index(after: middle) }
        }
        return low
    }
}
