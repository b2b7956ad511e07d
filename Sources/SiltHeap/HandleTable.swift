package import SiltEvents

/// What a handle names.
package struct HeldHandle: Sendable {
    /// No other thing ever has it.
    package var serial: UInt64
    /// What took it.
    package var stack: StackID
    /// A look found it: nobody saw the call that took it.
    package var isFound: Bool
}

/// What a program has taken by handles and not given back; a handle names one thing of a resource at a time.
struct HandleTable {
    private struct Key: Hashable {
        var resource: Resource
        var handle: UInt64
    }

    private struct Held {
        var thing: LiveBlock
        var serial: UInt64
        /// Nobody saw the call that took it.
        var isFound: Bool
    }

    private var things: [Key: Held] = [:]
    /// Things taken so far.
    private var serial: UInt64 = 0
    /// By slot: what was given back last, nil where that was not known.
    private var lastGiven: [UInt16: (key: Key, held: Held?)] = [:]
    /// How often shared things were taken again.
    private var more: [Key: Int] = [:]

    init() {}

    /// Adds a thing by its address, which is its handle; returns the one that had the handle before, and whether that was
    /// found by a look.
    mutating func take(
        _ thing: LiveBlock,
        of resource: Resource,
        isFound: Bool = false
    ) -> (thing: LiveBlock, isFound: Bool)? {
        serial += 1
        let held = Held(thing: thing, serial: serial, isFound: isFound)
        let old = things.updateValue(held, forKey: Key(resource: resource, handle: thing.address))
        return old.map { ($0.thing, $0.isFound) }
    }

    /// Takes the thing out; nil where the handle is not known.
    mutating func give(_ handle: UInt64, of resource: Resource, slot: UInt16) -> LiveBlock? {
        let key = Key(resource: resource, handle: handle)
        let held = things.removeValue(forKey: key)
        lastGiven[slot] = (key, held)
        return held?.thing
    }

    /// Takes a thing out that went unseen.
    mutating func lose(_ handle: UInt64, of resource: Resource) -> LiveBlock? {
        things.removeValue(forKey: Key(resource: resource, handle: handle))?.thing
    }

    /// Every handle of a resource, in no order; no other thing, also of this handle, ever has its serial number.
    func visit(_ resource: Resource, _ body: (_ handle: UInt64, HeldHandle) -> Void) {
        for (key, held) in things where key.resource == resource {
            body(key.handle, HeldHandle(serial: held.serial, stack: held.thing.stack, isFound: held.isFound))
        }
    }

    /// Nil where the handle is not known.
    func stack(of handle: UInt64, _ resource: Resource) -> StackID? {
        things[Key(resource: resource, handle: handle)]?.thing.stack
    }

    /// Puts back what the last `give` of the slot took out; nil where that was another handle, unknown, or is taken again.
    mutating func keep(_ handle: UInt64, of resource: Resource, slot: UInt16) -> LiveBlock? {
        let key = Key(resource: resource, handle: handle)
        guard let last = lastGiven[slot], last.key == key else { return nil }
        lastGiven[slot] = nil
        guard let held = last.held, things[key] == nil else { return nil }
        things[key] = held
        return held.thing
    }

    /// Whether a shared thing was there already, and is once more.
    mutating func takeAgain(_ handle: UInt64, of resource: Resource) -> Bool {
        let key = Key(resource: resource, handle: handle)
        guard resource.isShared, things[key] != nil else { return false }
        more[key, default: 0] += 1
        return true
    }

    /// Whether a shared thing is still there once less.
    mutating func giveOne(_ handle: UInt64, of resource: Resource) -> Bool {
        let key = Key(resource: resource, handle: handle)
        guard let times = more[key] else { return false }
        more[key] = times > 1 ? times - 1 : nil
        return true
    }
}
