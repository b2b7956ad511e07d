/// Things that are numbered from 0 in the order in which they came, each once.
struct NumberedTable<Thing: Hashable> {
    private(set) var things: [Thing] = []
    private var numbers: [Thing: Int] = [:]

    mutating func number(of thing: Thing) -> Int {
        if let known = numbers[thing] { return known }
        numbers[thing] = things.count
        things.append(thing)
        return things.count - 1
    }
}
