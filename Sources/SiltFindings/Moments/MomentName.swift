internal import SiltText

/// A moment of a recording, as users name it.
package enum MomentName: Equatable, Sendable {
    case start
    case end
    /// So many snapshots, or rounds of a hunt, after the start.
    case number(Int)
    /// So many seconds after the start.
    case seconds(Double)
    /// In a phase of a hunt: after so many of its rounds, 0 before the first; nil: after the last.
    case phase(String, round: Int?)

    /// `start`, `end`, `12`, `orders`, `orders:start`, `orders:3`; times are the caller's affair.
    package init(_ text: String) {
        if let number = Int(text), number >= 0 {
            self = .number(number)
        } else if text == "start" {
            self = .start
        } else if text == "end" {
            self = .end
        } else if let colon = text.lastIndex(of: ":"), let round = Self.round(text[text.index(after: colon)...]) {
            self = .phase(String(text[..<colon]), round: round)
        } else {
            self = .phase(text, round: nil)
        }
    }

    private static func round(_ text: Substring) -> Int? {
        text == "start" ? 0 : Int(text).flatMap { $0 < 0 ? nil : $0 }
    }
}

extension MomentName {
    /// As it is written in a command.
    package var word: String {
        switch self {
        case .seconds(let seconds):
            seconds == seconds.rounded() && seconds < 1e15 ? "\(Int(seconds))s" : "\(seconds)s"
        case .start, .end, .number, .phase: description
        }
    }
}

extension MomentName: CustomStringConvertible {
    package var description: String {
        switch self {
        case .start: "start"
        case .end: "end"
        case .number(let number): "\(number)"
        case .seconds(let seconds): Format.duration(seconds)
        case .phase(let name, let round): name + (round.map { ":\($0)" } ?? "")
        }
    }
}
