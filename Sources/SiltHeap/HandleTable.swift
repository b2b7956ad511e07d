internal import SiltEvents

/// What a program has taken by handles and not given back; a handle names one thing of a resource at a time.
struct HandleTable {
    private struct Key: Hashable {
        var resource: Resource
        var handle: UInt64
    }

    private var things: [Key: LiveBlock] = [:]
    /// By slot: what was given back last, nil where that was not known.
    private var lastGiven: [UInt16: (key: Key, thing: LiveBlock?)] = [:]

    init() {}

    /// Adds a thing by its address, which is its handle; returns the one that had the handle before.
    mutating func take(_ thing: LiveBlock, of resource: Resource) -> LiveBlock? {
        things.updateValue(thing, forKey: Key(resource: resource, handle: thing.address))
    }

    /// Takes the thing out; nil where the handle is not known.
    mutating func give(_ handle: UInt64, of resource: Resource, slot: UInt16) -> LiveBlock? {
        let key = Key(resource: resource, handle: handle)
        let thing = things.removeValue(forKey: key)
        lastGiven[slot] = (key, thing)
        return thing
    }

    /// Puts back what the last `give` of the slot took out; nil where that was another handle, unknown, or is taken again.
    mutating func keep(_ handle: UInt64, of resource: Resource, slot: UInt16) -> LiveBlock? {
        let key = Key(resource: resource, handle: handle)
        guard let last = lastGiven[slot], last.key == key else { return nil }
        lastGiven[slot] = nil
        guard let thing = last.thing, things[key] == nil else { return nil }
        things[key] = thing
        return thing
    }
}
