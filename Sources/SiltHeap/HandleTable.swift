internal import SiltEvents

/// What a program has taken by handles and not given back; a handle names one thing of a resource at a time.
struct HandleTable {
    private struct Key: Hashable {
        var resource: Resource
        var handle: UInt64
    }

    private var things: [Key: LiveBlock] = [:]

    init() {}

    /// Adds a thing by its address, which is its handle; returns the one that had the handle before.
    mutating func take(_ thing: LiveBlock, of resource: Resource) -> LiveBlock? {
        things.updateValue(thing, forKey: Key(resource: resource, handle: thing.address))
    }

    /// Takes the thing out; nil where the handle is not known.
    mutating func give(_ handle: UInt64, of resource: Resource) -> LiveBlock? {
        things.removeValue(forKey: Key(resource: resource, handle: handle))
    }
}
