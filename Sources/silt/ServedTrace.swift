internal import Glibc
internal import SiltFindings
internal import SiltRecording
internal import SiltServer
internal import SiltSession
internal import SiltText
internal import Synchronization

/// A trace of this process that is served, or pushed, while it goes on.
final class ServedTrace {
    /// Where the collector has to listen, so that it can be asked.
    let socket: String
    private let directory: String
    private let source: ReportSource
    private var server: ReportServer?
    private var pusher: ProfilePusher?

    /// `place`: where the recording is kept.
    init(recording: String, kept place: RecordingPlace?, hide: [String]) throws {
        directory = try makePrivateDirectory()
        socket = directory + "/silt.sock"
        source = ReportSource(LiveTrace(recording: recording, socket: socket), kept: place, hide: hide)
    }

    func begin(_ address: String?, _ push: PushOptions, service: String) throws {
        if let address {
            let server = try ReportServer(source, at: ServerAddress(local: address))
            PatientWriter.errors.say(.servingReport(at: server.address))
            self.server = server
        }
        pusher = try push.pusher(source, service: service)
    }

    func stop() {
        if let pusher { Terminal.message(.note(pusher.finish())) }
        server?.stop()
        unlink(socket.system)
        rmdir(directory.system)
    }
}

extension ReportSource {
    /// The report of a trace, brought up to date each time; `place`: where its recording is kept.
    convenience init(_ trace: LiveTrace, kept place: RecordingPlace?, hide: [String]) {
        var options = ReportOptions()
        options.recordingPlace = place
        options.hide = hide
        let seen = Mutex<[Int64]>([])
        self.init { [options] isFirst in
            trace.refresh()
            let stamp = trace.stamp
            guard isFirst || seen.withLock({ $0 != stamp }) else { return nil }
            var recording = try Recording(path: trace.recording)
            recording.nameFrames()
            let report = try ReportBuilder.build(recording, options: options)
            // What could not be read is tried again, though nothing was written.
            seen.withLock { $0 = stamp }
            return report
        }
    }
}
