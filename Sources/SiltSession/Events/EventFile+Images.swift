internal import CSiltWire
internal import SiltEvents
internal import SiltSystem

extension EventFile {
    func image(_ image: TracedImage, at seconds: Double) {
        writer.image(image.id, timeNanoseconds: Clock.nanoseconds(seconds), header: image.shared.headerAndTexts)
    }

    func snapshot(_ images: [TracedImage], at seconds: Double) {
        let residents = images.map { (image: $0.id, bytes: $0.recentResidentBytes ?? 0) }
        writer.snapshot(timeNanoseconds: Clock.nanoseconds(seconds), residents: residents)
    }

    func descriptors(_ image: TracedImage, _ found: OpenDescriptors.Found) {
        writer.descriptors(image: image.id, unseen: found.unseen, gone: found.gone)
    }

    func found(_ image: TracedImage, _ resource: Resource, _ found: FoundThings) {
        writer.found(image: image.id, resource: resource, words: found.words)
    }

    func example(_ image: TracedImage, _ resource: Resource, _ example: HeldExample) {
        writer.example(
            image: image.id,
            handle: example.handle,
            resource: resource,
            sinceNanoseconds: Clock.nanoseconds(example.since),
            texts: [example.kind, example.text]
        )
    }

    func end(_ image: TracedImage, how: ImageEnd, at seconds: Double) {
        let words = [how.packed, image.sampleResidentBytes() ?? 0, image.shared.sentEvents]
        let payload = words.withUnsafeBytes { Array($0) }
        let all = payload + Array(image.shared.headerAndTexts.prefix(MemoryLayout<silt_header>.size))
        all.withUnsafeBytes { writer.end(image: image.id, timeNanoseconds: Clock.nanoseconds(seconds), $0) }
    }
}
