internal import SiltSystem

/// When this process was kept from looking, by a busy machine or a slow disk, what came meanwhile has no time of its own.
/// All in one interval it would look like a burst with a rest behind it, and its rate would be that of neither.
extension Collector {
    /// After so many missed intervals nobody knows what the time was like.
    private static let maximumMissed = 4096.0

    func catchUp() {
        let time = Clock.monotonicSeconds - startedAt
        guard nextSnapshot - startedAt + tick < time else { return }
        for image in images.values { catchUp(image, at: time) }
    }

    /// Ends the intervals that should have ended while nobody looked: what came since the last look came evenly.
    ///
    /// Closing may take no larger share of the time than it does at other times. Not where the program waits for
    /// this process: it did all of that at once, and then nothing.
    func catchUp(_ image: TracedImage, at time: Double) {
        guard book == nil, image.own == nil, image.heap.interval > 1 else { return }
        let began = image.drainedAt - startedAt
        var end = max(began, scale == .even ? nextSnapshot - startedAt : image.nextSnapshot)
        guard end + step(of: image) <= time, time - end < Self.maximumMissed * step(of: image) else { return }
        let unread = image.unread
        guard unread.contains(where: { !$0.isEmpty }), !image.shared.isWaitedFor else { return }
        var spent: UInt64 = 0
        while end + step(of: image) <= time, Double(spent) / 1e9 * Self.closingShare <= time - began {
            let part = (end - began) / (time - began)
            image.drain(upTo: unread.map { $0.lowerBound + UInt64(part * Double($0.count)) })
            let before = Clock.threadCPUNanoseconds
            closeMissed(image, at: time)
            spent += Clock.threadCPUNanoseconds &- before
            guard scale != .even else {
                end += tick
                continue
            }
            while !image.plan(after: end, tick: tick, notBefore: end) { closeMissed(image, at: time) }
            end = image.nextSnapshot
        }
    }

    /// Seconds of the interval that is open.
    private func step(of image: TracedImage) -> Double {
        tick * Double(scale == .even ? 1 : scale.step(to: image.heap.interval))
    }

    private func closeMissed(_ image: TracedImage, at time: Double) {
        image.closeInterval()
        events?.snapshot([image], at: time)
    }
}
