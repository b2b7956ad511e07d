internal import ArgumentParser
internal import SiltText

/// A length of time on the command line: a number with ms, s, m or h.
struct Duration: ExpressibleByArgument {
    var seconds: Double

    init(seconds: Double) { self.seconds = seconds }

    init?(argument: String) {
        guard let seconds = Quantity.seconds(argument), seconds >= 0.01, seconds <= 86_400 else { return nil }
        self.seconds = seconds
    }

    var defaultValueDescription: String { "\(seconds == seconds.rounded() ? "\(Int(seconds))" : "\(seconds)")s" }
}
