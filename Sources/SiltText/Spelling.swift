/// The name that was probably meant: the one with the fewest changed, missing, extra or swapped letters, at most a third.
package func nearest(_ name: String, among known: [String]) -> String? {
    guard name.count <= 40 else { return nil }
    let distances = known.map { (name: $0, distance: editDistance(Array(name), Array($0))) }
    guard let best = distances.min(by: { $0.distance < $1.distance }) else { return nil }
    return best.distance <= max(1, best.name.count / 3) ? best.name : nil
}

/// Optimal string alignment distance (Damerau 1964).
private func editDistance(_ a: [Character], _ b: [Character]) -> Int {
    var rows = [[Int]](repeating: Array(0...b.count), count: a.count + 1)
    for i in 0..<a.count {
        rows[i + 1][0] = i + 1
        for j in 0..<b.count {
            let replaced = rows[i][j] + (a[i] == b[j] ? 0 : 1)
            rows[i + 1][j + 1] = min(replaced, rows[i][j + 1] + 1, rows[i + 1][j] + 1)
            if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                rows[i + 1][j + 1] = min(rows[i + 1][j + 1], rows[i - 1][j - 1] + 1)
            }
        }
    }
    return rows[a.count][b.count]
}
