internal import Glibc
internal import NIOCore
internal import NIOSSL

/// The client's side of TLS 1.2 and newer; it checks the server's certificate and name.
enum TLSClient {
    /// Made once, since it reads every certificate that the system trusts.
    private static let context = Result {
        do { return try NIOSSLContext(configuration: configuration) } catch { throw TrustError(underlying: error) }
    }

    /// The file of trusted authorities, if not the system's; OpenSSL and Go call it so too.
    private static var trustedFile: String? {
        getenv("SSL_CERT_FILE").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }

    private static var configuration: TLSConfiguration {
        var configuration = TLSConfiguration.makeClientConfiguration()
        configuration.minimumTLSVersion = .tlsv12
        if let trustedFile { configuration.trustRoots = .file(trustedFile) }
        return configuration
    }

    /// What encrypts a connection to that host, a name or an IP address.
    static func handler(host: String) throws -> NIOSSLClientHandler {
        // An address is not a server name (RFC 6066, section 3): the peer's is looked for in the certificate.
        let isAddress = (try? SocketAddress(ipAddress: host, port: 443)) != nil
        return try NIOSSLClientHandler(context: context.get(), serverHostname: isAddress ? nil : host)
    }

    /// Why no connection came about, and what to do; nil for an error of something else.
    static func reason(of error: any Error) -> String? {
        switch error {
        case let error as TrustError:
            return trustedFile.map { "SSL_CERT_FILE names \($0), which holds no certificates" } ?? "\(error.underlying)"
        case let error as NIOSSLExtraError:
            return error == .failedToValidateHostname ? "its certificate is for another host" : "\(error)"
        case NIOSSLError.handshakeFailed(let cause): return reason(ofHandshake: "\(cause)")
        case is NIOSSLError, is BoringSSLError: return "\(error)"
        default: return nil
        }
    }

    /// BoringSSL names its reasons in words of capitals.
    private static func reason(ofHandshake text: String) -> String {
        if text.contains("CERTIFICATE_VERIFY_FAILED") {
            return "nobody whom this machine trusts has signed its certificate: install ca-certificates, "
                + "or let SSL_CERT_FILE name the file with its authority's"
        }
        if text.contains("WRONG_VERSION_NUMBER") {
            return "it speaks no TLS: does its address begin with http://?"
        }
        return text
    }
}

/// The certificates that are to be trusted could not be read.
private struct TrustError: Error {
    let underlying: any Error
}
