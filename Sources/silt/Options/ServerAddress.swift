internal import ArgumentParser
internal import SiltServer
internal import SiltText

extension ServerAddress {
    /// What must be sent by who asks from elsewhere.
    static var token: String? { Environment.content("SILT_TOKEN") }

    init(local: String, others: String? = nil) throws {
        if let others {
            guard let address = ServerAddress(others) else {
                throw ValidationError("--listen \(others) is no HOST:PORT")
            }
            guard ServerAddress.token != nil else {
                throw ValidationError("--listen needs a token that requests must carry: set SILT_TOKEN")
            }
            self = address
            return
        }
        guard let address = ServerAddress(local) else {
            throw ValidationError("\(local) is no port, and no unix:PATH")
        }
        if case .network = address {
            throw ValidationError(
                "\(local) can be reached by others: say --listen \(local), with a token in SILT_TOKEN"
            )
        }
        self = address
    }
}
