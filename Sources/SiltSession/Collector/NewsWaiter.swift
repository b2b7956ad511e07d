internal import CSiltSystem
internal import CSiltWire
internal import Glibc

/// Waits for news of traced images and for descriptors at once; meanwhile, and whatever the caller does between two
/// waits, it tells the images that the analyzer lives (silt_watch.h).
final class NewsWaiter {
    private let watch: OpaquePointer

    /// `poller` must last longer than this.
    init(poller: borrowing Poller) throws(SessionError) {
        guard let started = silt_watch_start(poller.descriptor) else { throw .last("a thread that watches") }
        watch = started
    }

    deinit { silt_watch_end(watch) }

    /// From now on until `remove`, which must come before the image is unmapped.
    func add(_ image: borrowing SharedImage) throws(SessionError) {
        let header = image.head.assumingMemoryBound(to: silt_header.self)
        guard silt_watch_add(watch, &header.pointee.news, &header.pointee.reader_beats) == 0
        else { throw .last("watching an image") }
    }

    func remove(_ image: borrowing SharedImage) {
        silt_watch_remove(watch, &image.head.assumingMemoryBound(to: silt_header.self).pointee.news)
    }

    /// Sleeps until there is news, a descriptor is ready or the time is over; true when the poller is to be asked.
    func wait(milliseconds: Int32) -> Bool { silt_watch_wait(watch, milliseconds) }
}

extension SharedImage {
    /// Whether the target has raised its news since the last call.
    func takeNews() -> Bool { silt_take_news(&head.assumingMemoryBound(to: silt_header.self).pointee.news) }
}
