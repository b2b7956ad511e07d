internal import SiltServer
internal import SiltText

extension ServerAddress {
    /// What must be sent by who asks from elsewhere.
    static var token: String? { Environment.content("SILT_TOKEN") }

    init(local: String, others: String? = nil) throws {
        if let others {
            guard let address = ServerAddress(others) else { throw Refusal.listenAddress(others) }
            guard ServerAddress.token != nil else { throw Refusal.listenNeedsToken }
            self = address
            return
        }
        guard let address = ServerAddress(local) else { throw Refusal.localAddress(local) }
        if case .network = address { throw Refusal.addressOfOthers(local) }
        self = address
    }
}
