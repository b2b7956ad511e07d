package import SiltEvents

/// How fast a site grows, with the range that the error leaves.
package struct Rate: Equatable, Sendable {
    /// What is counted, and for what.
    package struct Unit: Hashable, Sendable {
        package enum Quantity: Hashable, Sendable {
            case bytes
            /// Things of a resource that has no size.
            case objects(Resource)

            package init(of resource: Resource) { self = resource.isCounted ? .objects(resource) : .bytes }

            fileprivate var name: String {
                switch self {
                case .bytes: "bytes"
                case .objects: "objects"
                }
            }
        }

        /// Intervals are those between snapshots, where the time between them is not known.
        package enum Per: String, Sendable, CaseIterable {
            case interval
            case second
            case round
            case request
        }

        package var quantity: Quantity
        package var per: Per

        package static let bytesPerRequest = Unit(.bytes, per: .request)
        package static let bytesPerSecond = Unit(.bytes, per: .second)

        package init(_ quantity: Quantity, per: Per) {
            self.quantity = quantity
            self.per = per
        }
    }

    package var value: Double
    package var low: Double
    package var high: Double
    package var unit: Unit
}

extension Rate {
    mutating func scale(by factor: Double) {
        value *= factor
        low *= factor
        high *= factor
    }
}

/// As JSON, CSV, metrics and baselines write it: `bytes/request`.
extension Rate.Unit {
    /// nil where it is not a unit of that resource.
    package init?(_ text: String, of resource: Resource) {
        let words = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        let quantity = Quantity(of: resource)
        guard words.count == 2, words[0] == quantity.name, let per = Per(rawValue: words[1]) else { return nil }
        self.init(quantity, per: per)
    }

    package var rawValue: String { "\(quantity.name)/\(per.rawValue)" }
}
