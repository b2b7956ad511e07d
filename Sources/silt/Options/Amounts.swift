internal import ArgumentParser
internal import SiltText

/// Bytes on the command line: 64, 1KiB.
struct ByteAmount: ExpressibleByArgument {
    var bytes: Double

    init?(argument: String) {
        guard let bytes = Quantity.bytes(argument) else { return nil }
        self.bytes = bytes
    }
}

/// How many, on average, on the command line: 1, 0.5.
struct CountAmount: ExpressibleByArgument {
    var count: Double

    init?(argument: String) {
        guard let count = Double(argument), count >= 0, count.isFinite else { return nil }
        self.count = count
    }
}

/// A share on the command line: 20, 20%.
struct Percentage: ExpressibleByArgument {
    var value: Double

    init(value: Double) { self.value = value }

    init?(argument: String) {
        guard let value = Double(argument.hasSuffix("%") ? String(argument.dropLast()) : argument), value >= 0,
            value.isFinite
        else { return nil }
        self.value = value
    }

    var defaultValueDescription: String { "\(Int(value))" }
}

/// A number of call sites or functions.
struct ShownLimit: ExpressibleByArgument {
    let count: Int

    init?(argument: String) {
        guard let count = Int(argument), count >= 0 else { return nil }
        self.count = count
    }
}

/// An amount of memory.
struct MemoryAmount: ExpressibleByArgument {
    let bytes: UInt64

    init?(argument: String) {
        guard let bytes = Quantity.bytes(argument), bytes >= 1, bytes < 1e18 else { return nil }
        self.bytes = UInt64(bytes)
    }
}
